#pragma once

#include <span>
#include <string>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// Makes `servers` the host's name servers in the first way that works here: by systemd-resolved,
/// by the resolvconf program, by writing /etc/resolv.conf. Returns which, in words. `link_index` is
/// the device through which the servers are reached.
Result<std::string> set_name_servers(std::span<const IpAddress> servers, int link_index,
                                     const std::string& tun_name, Transaction& transaction,
                                     Logger& logger);

}  // namespace qdt::os
