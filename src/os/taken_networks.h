#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

/// A network that this host reaches without the tunnel.
struct TakenNetwork {
  std::string device;
  Prefix prefix;
  /// This host's own address there; nothing for one that is known by a route alone.
  std::optional<IpAddress> address;
  /// Without a router between.
  bool is_on_link = false;
  bool operator==(const TakenNetwork&) const = default;

  /// "10.8.0.0/24 of eth0, where this host is 10.8.0.77"
  std::string describe() const {
    const std::string whose = prefix.to_string() + " of " + device;
    return address ? whose + ", where this host is " + address->to_string() : whose;
  }
  bool overlaps(const Prefix& other) const {
    return prefix.contains(other) || other.contains(prefix);
  }
};

/// All of them but the tunnel's (`tun_name`): from addresses and from the ordinary routes. Left out
/// are loopback, link-local and multicast networks, and routes so wide that they stand for all
/// others (shorter than /8, in IPv6 than /7). Reads every route of the host: at a start, and when
/// the network changes.
Result<std::vector<TakenNetwork>> taken_networks(const std::string& tun_name);

}  // namespace qdt::os
