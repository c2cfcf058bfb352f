#pragma once

#include <span>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "client/host_setup.h"
#include "wire/handshake.h"

namespace qdt::client {

/// `prefix` without what `excluded` has of it: the fewest prefixes that make up the rest, in order.
std::vector<Prefix> without(const Prefix& prefix, std::span<const Prefix> excluded);

/// The destinations that go into a tunnel that does not take everything: the user's `routes`, with
/// Routing::kPool also the server's pools and the routes that it pushes; less `exclude`. An error
/// when the server's own address, to which the tunnel's packets go, would be among them.
Result<std::vector<Prefix>> routes_into_tunnel(const HostSetup::Options& options,
                                               const wire::ConnectResponse& response,
                                               const IpAddress& server);

}  // namespace qdt::client
