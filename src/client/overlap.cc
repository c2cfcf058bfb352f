#include "client/overlap.h"

#include <algorithm>

namespace qdt::client {
namespace {

std::vector<Prefix> pools_of(const wire::ConnectResponse& response) {
  std::vector<Prefix> pools = {response.cidr};
  if (response.ipv6) pools.push_back(response.ipv6->cidr);
  return pools;
}

const os::TakenNetwork* find_overlapping(const Prefix& prefix,
                                         std::span<const os::TakenNetwork> networks) {
  const auto found = std::ranges::find_if(networks, [&](const os::TakenNetwork& network) {
    return network.is_on_link && network.overlaps(prefix);
  });
  return found == networks.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string> find_own_lease(const wire::ConnectResponse& response,
                                          std::span<const os::TakenNetwork> networks) {
  const auto is_lease = [&](const IpAddress& address) {
    return address == response.client_ip || (response.ipv6 && address == response.ipv6->client_ip);
  };
  for (const os::TakenNetwork& network : networks) {
    if (!network.address || !is_lease(*network.address)) continue;
    return "the server lends " + network.address->to_string() +
           ", which is this host's own address on " + network.device;
  }
  return std::nullopt;
}

std::optional<std::string> find_taken_network(const wire::ConnectResponse& response,
                                              std::span<const Prefix> routes,
                                              std::span<const os::TakenNetwork> networks) {
  for (const Prefix& pool : pools_of(response)) {
    for (const Prefix& route : routes) {
      if (!pool.contains(route)) continue;
      const os::TakenNetwork* network = find_overlapping(route, networks);
      if (network == nullptr) continue;
      return "the server's pool " + pool.to_string() + " overlaps a network of this host, " +
             network->describe() +
             ": change pool_cidr at the server or the addresses of that network, or keep it "
             "outside "
             "with exclude: [" +
             network->prefix.to_string() + "]";
    }
  }
  return std::nullopt;
}

std::optional<std::string> find_hidden_pool(const wire::ConnectResponse& response,
                                            std::span<const IpAddress> name_servers,
                                            std::span<const os::TakenNetwork> networks) {
  for (const Prefix& pool : pools_of(response)) {
    const os::TakenNetwork* network = find_overlapping(pool, networks);
    if (network == nullptr) continue;
    if (!pool.contains(network->prefix)) {
      return "the server's pool " + pool.to_string() + " lies in a network of this host, " +
             network->describe() + ": its addresses are reached through the tunnel alone";
    }
    std::string words = "the server's pool " + pool.to_string() +
                        " overlaps a network of this host, " + network->describe() +
                        ": that network stays reachable, and the tunnel reaches nobody in it";
    for (const IpAddress& server : name_servers) {
      if (!network->prefix.contains(server)) continue;
      words += ", but for the name server " + server.to_string();
    }
    return words +
           "; to reach the pool, change pool_cidr at the server or the addresses of that "
           "network";
  }
  return std::nullopt;
}

std::vector<Prefix> find_reachable_pools(const wire::ConnectResponse& response,
                                         std::span<const os::TakenNetwork> networks) {
  std::vector<Prefix> pools = pools_of(response);
  std::erase_if(pools, [&](const Prefix& pool) {
    return std::ranges::any_of(networks, [&](const os::TakenNetwork& network) {
      return network.is_on_link && pool.contains(network.prefix);
    });
  });
  return pools;
}

}  // namespace qdt::client
