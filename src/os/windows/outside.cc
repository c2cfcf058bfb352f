#include "os/windows/outside.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace qdt::os {
namespace {

const Interface* find(std::span<const Interface> interfaces, InterfaceId id) {
  const auto found = std::ranges::find(interfaces, id, &Interface::id);
  return found == interfaces.end() ? nullptr : &*found;
}

}  // namespace

Result<Surroundings> look_around(NetworkCalls& calls) {
  auto interfaces = calls.interfaces();
  if (!interfaces) return fail(interfaces);
  auto routes = calls.routes();
  if (!routes) return fail(routes);
  auto addresses = calls.addresses();
  if (!addresses) return fail(addresses);

  std::erase_if(*interfaces, [](const Interface& one) { return !one.is_up || one.is_tunnel(); });
  const auto is_foreign = [&](InterfaceId id) { return find(*interfaces, id) == nullptr; };
  std::erase_if(*routes,
                [&](const WindowsRoute& route) { return is_pin(route) || is_foreign(route.link); });
  std::erase_if(*addresses, [&](const OwnAddress& address) {
    return !address.is_usable || is_foreign(address.link);
  });

  // The sum of a route's metric and its interface's decides between routes.
  std::map<std::pair<InterfaceId, IpFamily>, std::uint32_t> metrics;
  for (WindowsRoute& route : *routes) {
    const auto key = std::pair(route.link, family_of(route.destination.address()));
    const auto [known, is_new] = metrics.try_emplace(key, 0);
    if (is_new) {
      const auto settings = calls.ip_settings(key.first, key.second);
      if (settings) known->second = settings->metric;
    }
    route.metric += known->second;
  }
  std::ranges::sort(*interfaces, {}, &Interface::id);
  std::ranges::sort(*routes);
  std::ranges::sort(*addresses);
  return Surroundings{std::move(*interfaces), std::move(*routes), std::move(*addresses)};
}

std::optional<WindowsRoute> route_outside(const Surroundings& surroundings,
                                          const Prefix& destination) {
  std::optional<WindowsRoute> best;
  for (const WindowsRoute& route : surroundings.routes) {
    if (!route.destination.contains(destination)) continue;
    const bool is_better = !best || std::tuple(-route.destination.length(), route.metric) <
                                        std::tuple(-best->destination.length(), best->metric);
    if (is_better) best = route;
  }
  return best;
}

std::optional<WindowsRoute> pinned_route(const Surroundings& surroundings,
                                         const Prefix& destination) {
  auto route = route_outside(surroundings, destination);
  if (!route || route->destination.length() > 1) return std::nullopt;
  route->destination = destination;
  route->metric = kPinMetric;
  return route;
}

Result<WayOutside> way_outside(NetworkCalls& calls, const IpAddress& remote) {
  const std::string doing = "look for the way to " + remote.to_string();
  const auto surroundings = look_around(calls);
  if (!surroundings) return fail(doing + ": " + surroundings.error().message);
  const auto route = route_outside(*surroundings, Prefix::of_host(remote));
  if (!route) {
    return fail(doing + ": this host has no route to it" +
                (remote.is_v6() ? ", and perhaps no IPv6 at all" : "") +
                "; is it connected to a network?");
  }
  const auto source = calls.source_towards(remote, route->link);
  if (!source) return fail(doing + ": " + source.error().message);
  return WayOutside{.link = route->link,
                    .interface_index = find(surroundings->interfaces, route->link)->index,
                    .source = *source};
}

}  // namespace qdt::os
