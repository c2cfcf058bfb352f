#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "os/taken_networks.h"
#include "wire/handshake.h"

namespace qdt::client {

// Compares what a server grants with the networks that this host is in. Pure.

/// A lease that this host has as an address of its own: in words. Nothing goes through a tunnel
/// whose inner address belongs to another device.
std::optional<std::string> find_own_lease(const wire::ConnectResponse& response,
                                          std::span<const os::TakenNetwork> networks);

/// A network of this host from which `routes` (into the tunnel, of the server's pools) would take
/// addresses: in words, with what to change.
std::optional<std::string> find_taken_network(const wire::ConnectResponse& response,
                                              std::span<const Prefix> routes,
                                              std::span<const os::TakenNetwork> networks);

/// Where everything goes into the tunnel but this host's own networks: what of the server's pools,
/// or of a network around one, is not reached, in words. `name_servers` are asked through the
/// tunnel wherever they are.
std::optional<std::string> find_hidden_pool(const wire::ConnectResponse& response,
                                            std::span<const IpAddress> name_servers,
                                            std::span<const os::TakenNetwork> networks);

/// The server's pools, but for those that have a network of this host in them, or are one: that one
/// stays reachable. A wider network gives way to the pool.
std::vector<Prefix> find_reachable_pools(const wire::ConnectResponse& response,
                                         std::span<const os::TakenNetwork> networks);

}  // namespace qdt::client
