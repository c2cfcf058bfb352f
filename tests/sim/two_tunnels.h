#pragma once

#include <cstddef>

#include "sim/nodes.h"

namespace qdt::testing {

/// A server's and a client's tunnel, joined in memory without a network between them: all that one
/// end has to send, the other receives a step of time later.
class TwoTunnels {
 public:
  explicit TwoTunnels(const ServerNodeOptions& options = {},
                      const client::Connector::Options& client_options = {})
      : server(options), client(client_options) {
    client.connect(kClientAddress, kServerAddress, now);
    while (!client.response && now < Timestamp(10s)) exchange();
    // Path MTU discovery, and every buffer at its working size.
    for (int i = 0; i < 3000; ++i) exchange();
  }

  void exchange() {
    now += step;
    carry(client.tunnel(), server.tunnel());
    carry(server.tunnel(), client.tunnel());
    for (tunnel::Tunnel* tunnel : {&client.tunnel(), &server.tunnel()}) {
      if (tunnel->next_timeout() <= now) tunnel->handle_timeouts(now);
    }
  }

  ServerNode server;
  ClientNode client;
  Timestamp now{1s};
  Duration step = 1ms;         ///< of time, for each exchange()
  std::size_t received = 0;    ///< inner packets, at both ends
  std::size_t lose_every = 0;  ///< payload is lost; 0: none

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

}  // namespace qdt::testing
