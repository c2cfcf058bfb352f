#pragma once

#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

/// A route of the kernel's main table, other than a default route, that somebody else has set: the
/// kernel for an address, a DHCP client, a router's advertisement, a person.
struct MainRoute {
  Prefix destination;
  int link_index = 0;         ///< 0: more than one
  bool is_connected = false;  ///< the destination is in the link itself: there is no gateway
  std::string way;            ///< for a person: `via 192.0.2.1 dev eth0`
};

/// At most kMaxMainRoutes of each family, in the kernel's order.
Result<std::vector<MainRoute>> main_routes();
inline constexpr std::size_t kMaxMainRoutes = 4096;

}  // namespace qdt::os
