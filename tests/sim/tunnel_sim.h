#pragma once

#include <gtest/gtest.h>

#include "sim/nodes.h"

namespace qdt::testing {

/// A server and a client in the simulated world, 20 ms apart.
class TunnelSim : public ::testing::Test {
 protected:
  explicit TunnelSim(const ServerNodeOptions& options = {},
                     const client::Connector::Options& client_options = {})
      : server(options), client(client_options) {
    world.attach(kServerAddress, server, {.delay = 10ms});
    world.attach(kClientAddress, client, {.delay = 10ms});
  }

  bool connect() { return connect(client, kClientAddress); }
  bool connect(ClientNode& node, const SocketAddress& from) {
    node.connect(from, kServerAddress, world.now());
    return world.run_until([&] { return node.response || node.ending; }, 20s) &&
           node.response.has_value();
  }
  void set_links(const LinkOptions& link) {
    world.set_link(kServerAddress, link);
    world.set_link(kClientAddress, link);
  }
  IpAddress lease() const { return client.response->client_ip; }
  IpAddress lease6() const { return client.response->ipv6->client_ip; }
  Packet up(std::size_t bytes, std::uint8_t fill = 0) const {
    return udp_packet(lease(), kInternet, bytes, fill);
  }
  Packet down(std::size_t bytes, std::uint8_t fill = 0) const {
    return udp_packet(kInternet, lease(), bytes, fill);
  }

  SimWorld world{42};
  ServerNode server;
  ClientNode client;
};

}  // namespace qdt::testing
