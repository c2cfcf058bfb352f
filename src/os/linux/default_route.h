#pragma once

#include <span>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/linux/netlink.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// Sends into the device what does not carry kTunnelMark and what the main table routes by its
/// default route only; IPv6 of that kind becomes unreachable unless `carries_ipv6`. The main table
/// stays as it is: a table of ours holds the default route, and two rules for each family choose
/// between them, the way wg-quick does it.
Result<void> make_default_route(int link_index, bool carries_ipv6, Netlink& netlink,
                                Transaction& transaction);
/// Destinations in `outside` stay outside as if the tunnel were not there.
Result<void> leave_outside(std::span<const Prefix> outside, Netlink& netlink,
                           Transaction& transaction);

}  // namespace qdt::os
