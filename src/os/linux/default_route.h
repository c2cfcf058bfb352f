#pragma once

#include <cstdint>
#include <span>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/linux/netlink.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// The bit that marks packets which answer a connection from outside, and the connection itself.
/// Other programs use other bits.
inline constexpr std::uint32_t kOutsideBit = 0x10000000;

/// Puts the default route into our table, which sends nothing there yet. Fails while another tunnel
/// has the table.
Result<void> claim_tunnel_table(int link_index, Netlink& netlink, Transaction& transaction);
/// Sends into the device what carries neither kTunnelMark nor kOutsideBit; IPv6 of that kind
/// becomes unreachable unless `carries_ipv6`. The main table stays as it is: a table of ours holds
/// the default route and the exceptions from it, and two rules for each family choose between them.
Result<void> make_default_route(int link_index, bool carries_ipv6, Netlink& netlink,
                                Transaction& transaction);
/// Destinations in `outside` stay outside as if the tunnel were not there.
Result<void> leave_outside(std::span<const Prefix> outside, Netlink& netlink,
                           Transaction& transaction);
/// Destinations in `inside` take the tunnel although a wider prefix stays outside.
Result<void> keep_inside(std::span<const Prefix> inside, int link_index, Netlink& netlink,
                         Transaction& transaction);

/// The routes that these two set, and whether a route is such a one.
Route route_outside(const Prefix& prefix);
Route route_inside(const Prefix& prefix, int link_index);
bool is_exception(const Route& route);

}  // namespace qdt::os
