#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ip_address.h"
#include "os/kill_switch.h"
#include "os/windows/network_calls.h"

namespace qdt::os {

/// The traffic that may not go around a tunnel, whatever the routes say.
struct Refusals {
  InterfaceId tun = 0;
  /// DNS (ports 53 and 853, as on Linux) other than through the tunnel, by this program, in this
  /// host, or to these.
  bool refuses_dns = false;
  std::vector<IpAddress> name_servers;
  /// All IPv6, but for this program's and to these prefixes.
  bool refuses_ipv6 = false;
  std::vector<Prefix> ipv6_outside;
  /// Destinations that were to go into a tunnel that carries none of their kind.
  std::vector<Prefix> destinations;

  bool is_empty() const { return !refuses_dns && !refuses_ipv6 && destinations.empty(); }
  bool operator==(const Refusals&) const = default;
};

std::vector<Filter> filters_of(const Refusals& refusals);

/// Those of a kill switch; `tun`: its device, once that is there.
std::vector<Filter> kill_switch_filters(const KillSwitch::Options& options,
                                        std::optional<InterfaceId> tun);

}  // namespace qdt::os
