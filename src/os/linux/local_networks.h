#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "os/host_network.h"
#include "os/linux/main_routes.h"

namespace qdt::os {

/// The routes of a host that count beside a tunnel that takes everything.
///
/// The operator of a LAN can hand out any route (DHCP option 121, router advertisements) and any
/// network. So a LAN is a network that this host is in itself, no larger than the private or
/// link-local range that it is a part of; all others are ignored, and their packets take the
/// tunnel.
struct LocalNetworks {
  std::vector<Prefix> outside;       ///< the user's, and at most kMaxLocalNetworks; sorted
  std::vector<std::string> ignored;  ///< `203.0.113.0/24 via 192.0.2.1 dev eth0`, likewise
  std::size_t omitted = 0;           ///< of both, for being too many

  bool operator==(const LocalNetworks&) const = default;
};
inline constexpr std::size_t kMaxLocalNetworks = 64;

/// Whether a LAN can have this prefix: it is private (RFC 1918, RFC 6598, RFC 4193) or link-local.
bool is_plausible_lan(const Prefix& prefix);

/// `tun_index`: the tunnel's device, whose routes do not count. `known`: where there are too many,
/// these go first, and so a flood takes no network away.
LocalNetworks local_networks(std::span<const MainRoute> routes, const Outside& outside,
                             int tun_index, std::span<const Prefix> known = {});

}  // namespace qdt::os
