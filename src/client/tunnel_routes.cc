#include "client/tunnel_routes.h"

#include <algorithm>
#include <array>

namespace qdt::client {
namespace {

Prefix upper_half(const Prefix& prefix) {
  const auto bit = static_cast<std::size_t>(prefix.length());
  const Bytes bytes = prefix.address().bytes();
  std::array<std::uint8_t, 16> changed{};
  std::ranges::copy(bytes, changed.begin());
  changed[bit / 8] |= static_cast<std::uint8_t>(0x80 >> (bit % 8));
  const std::span<const std::uint8_t, 16> all = changed;
  return {prefix.address().is_v4() ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all),
          prefix.length() + 1};
}

void add_rest(const Prefix& prefix, std::span<const Prefix> excluded, std::vector<Prefix>& rest) {
  const auto covers = [&](const Prefix& other) { return other.contains(prefix); };
  if (std::ranges::any_of(excluded, covers)) return;
  const auto is_inside = [&](const Prefix& other) { return prefix.contains(other); };
  if (std::ranges::none_of(excluded, is_inside)) return rest.push_back(prefix);
  add_rest({prefix.address(), prefix.length() + 1}, excluded, rest);
  add_rest(upper_half(prefix), excluded, rest);
}

std::unexpected<Error> covers_server(const Prefix& route, const IpAddress& server,
                                     const std::string& whose) {
  return fail(whose + " " + route.to_string() + " covers the server's own address " +
              server.to_string() + ", and would send the tunnel into itself; add " +
              Prefix::of_host(server).to_string() + " to exclude");
}

}  // namespace

std::vector<Prefix> without(const Prefix& prefix, std::span<const Prefix> excluded) {
  std::vector<Prefix> rest;
  add_rest(prefix, excluded, rest);
  return rest;
}

Result<std::vector<Prefix>> routes_into_tunnel(const HostSetup::Options& options,
                                               const wire::ConnectResponse& response,
                                               const IpAddress& server) {
  std::vector<Prefix> routes;
  const auto add = [&](const Prefix& route, const std::string& whose) -> Result<void> {
    for (const Prefix& rest : without(route, options.exclude)) {
      if (rest.contains(server)) return covers_server(route, server, whose);
      routes.push_back(rest);
    }
    return {};
  };
  for (const Prefix& route : options.routes) {
    if (auto ok = add(route, "the configuration's route"); !ok) return fail(ok);
  }
  if (options.routing == Routing::kPool) {
    if (auto ok = add(response.cidr, "the server's pool"); !ok) return fail(ok);
    if (response.ipv6) {
      if (auto ok = add(response.ipv6->cidr, "the server's pool"); !ok) return fail(ok);
    }
    for (const Prefix& route : response.routes) {
      if (auto ok = add(route, "the server's route"); !ok) return fail(ok);
    }
  }
  std::ranges::sort(routes);
  routes.erase(std::ranges::unique(routes).begin(), routes.end());
  return routes;
}

}  // namespace qdt::client
