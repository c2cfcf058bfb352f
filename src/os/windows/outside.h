#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/windows/network_calls.h"

namespace qdt::os {

// Windows knows no firewall mark. What stays outside a tunnel that takes everything does so by
// three means, of which each covers what the others cannot:
// - A route of its own: the server's address, and each prefix that is to stay outside, has a route
//   like the one it would have without the tunnel (pinned_route()), narrower than the two halves by
//   which the tunnel takes everything. HostNetwork keeps it true as networks come and go.
// - The source address: our socket sends from the address that source_address() found outside the
//   tunnel, and Windows, a strong host, sends what has an interface's address by that interface
//   alone. This covers the other addresses of the server, which are tried while the tunnel's routes
//   still stand.
// - IP_UNICAST_IF, which binds a socket that has one peer to the interface of way_outside().
// A route alone would do for one address; a binding alone would follow the default route where the
// server is behind another one, or in the LAN.

/// The metric of pinned routes, by which they are told from everybody else's ("QD" in ASCII). A
/// route to the same prefix that somebody else made, with any usual metric, wins.
inline constexpr std::uint32_t kPinMetric = 20804;

inline bool is_pin(const WindowsRoute& route) {
  return route.metric == kPinMetric;
}

/// The host's network as it would be without us: what is asked for the way outside.
struct Surroundings {
  std::vector<Interface> interfaces;  ///< that are up, QDT's tunnels excepted
  std::vector<WindowsRoute> routes;   ///< through these, without pins; metrics are whole ones
  std::vector<OwnAddress> addresses;  ///< usable ones, of these
  bool operator==(const Surroundings&) const = default;
};

Result<Surroundings> look_around(NetworkCalls& calls);

/// The route by which all of `destination` would leave: the narrowest that covers it, of these the
/// one of the lowest metric. Nothing when there is no way.
std::optional<WindowsRoute> route_outside(const Surroundings& surroundings,
                                          const Prefix& destination);

/// The route to add so that `destination` stays outside; nothing when there is no way, or none is
/// needed because its own route is narrower than half of everything.
std::optional<WindowsRoute> pinned_route(const Surroundings& surroundings,
                                         const Prefix& destination);

/// By which interface, and from which address, packets to `remote` leave outside the tunnel.
struct WayOutside {
  InterfaceId link = 0;
  std::uint32_t interface_index = 0;
  IpAddress source;
};
Result<WayOutside> way_outside(NetworkCalls& calls, const IpAddress& remote);
/// The same of this host.
Result<WayOutside> way_outside(const IpAddress& remote);

}  // namespace qdt::os
