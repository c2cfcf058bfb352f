#include "os/taken_networks.h"

#include <algorithm>

#include "os/windows/network_calls.h"
#include "os/windows/outside.h"
#include "os/windows/windows_network.h"

namespace qdt::os {
namespace {

constexpr int kNarrowestDefault4 = 8;
constexpr int kNarrowestDefault6 = 7;

bool matters(const TakenNetwork& network) {
  const IpAddress& address = network.prefix.address();
  if (address.is_loopback() || address.is_link_local() || address.is_multicast()) return false;
  const int least = address.is_v4() ? kNarrowestDefault4 : kNarrowestDefault6;
  return network.address || network.prefix.length() >= least;
}

}  // namespace

// QDT's own adapters are known by what they are, not by name.
Result<std::vector<TakenNetwork>> taken_networks(const std::string&) {
  const auto calls = windows_network();
  const auto surroundings = look_around(*calls);
  if (!surroundings) return fail(surroundings);
  const auto name_of = [&](InterfaceId link) {
    const auto found = std::ranges::find(surroundings->interfaces, link, &Interface::id);
    return found == surroundings->interfaces.end() ? std::string() : found->name;
  };
  std::vector<TakenNetwork> networks;
  for (const OwnAddress& own : surroundings->addresses) {
    networks.push_back({.device = name_of(own.link),
                        .prefix = Prefix(own.address, own.prefix_length),
                        .address = own.address,
                        .is_on_link = true});
  }
  for (const WindowsRoute& route : surroundings->routes) {
    networks.push_back({.device = name_of(route.link),
                        .prefix = route.destination,
                        .address = std::nullopt,
                        .is_on_link = route.next_hop.is_unspecified()});
  }
  std::erase_if(networks, [](const TakenNetwork& network) { return !matters(network); });
  return networks;
}

}  // namespace qdt::os
