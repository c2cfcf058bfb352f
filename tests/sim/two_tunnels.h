#pragma once

#include <cstddef>

#include "sim/nodes.h"

namespace qdt::testing {

/// A server's and a client's tunnel, joined in memory without a network between them: all that one
/// end has to send, the other receives a step of time later.
class JoinedTunnels {
 public:
  virtual ~JoinedTunnels() = default;

  void exchange() {
    now += step;
    carry(client_tunnel(), server_tunnel());
    carry(server_tunnel(), client_tunnel());
    for (tunnel::Tunnel* tunnel : {&client_tunnel(), &server_tunnel()}) {
      if (tunnel->next_timeout() <= now) tunnel->handle_timeouts(now);
    }
  }

  Timestamp now{1s};
  Duration step = 1ms;         ///< of time, for each exchange()
  std::size_t received = 0;    ///< inner packets, at both ends
  std::size_t lose_every = 0;  ///< payload is lost; 0: none

 protected:
  virtual tunnel::Tunnel& server_tunnel() = 0;
  virtual tunnel::Tunnel& client_tunnel() = 0;

  /// Until `is_connected`, and then until path MTU discovery is over and every buffer has its
  /// working size.
  template <typename IsConnected>
  void settle(IsConnected&& is_connected) {
    while (!is_connected() && now < Timestamp(10s)) exchange();
    for (int i = 0; i < 3000; ++i) exchange();
  }

 private:
  void carry(tunnel::Tunnel& from, tunnel::Tunnel& to) {
    bool is_done = false;
    while (!is_done) {
      is_done = from.send(now);
      for (const UdpBurst& burst : from.payloads().bursts()) {
        const UdpPath seen{.local = burst.path.remote, .remote = burst.path.local};
        for_each_payload(burst, [&](Bytes payload) {
          if (lose_every > 0 && ++carried_ % lose_every == 0) return;
          to.receive(seen, burst.ecn, payload, now);
          received += to.packets().size();
          to.packets().clear();
        });
      }
      from.payloads().clear();
    }
  }

  std::size_t carried_ = 0;
};

/// Those of a real server and a real client.
class TwoTunnels : public JoinedTunnels {
 public:
  explicit TwoTunnels(const ServerNodeOptions& options = {},
                      const client::Connector::Options& client_options = {})
      : server(options), client(client_options) {
    client.connect(kClientAddress, kServerAddress, now);
    settle([this] { return client.response.has_value(); });
  }

  bool is_connected() const { return client.response.has_value(); }
  IpAddress lease() const { return client.response->client_ip; }
  IpAddress lease6() const { return client.response->ipv6->client_ip; }

  ServerNode server;
  ClientNode client;

 private:
  tunnel::Tunnel& server_tunnel() override { return server.tunnel(); }
  tunnel::Tunnel& client_tunnel() override { return client.tunnel(); }
};

}  // namespace qdt::testing
