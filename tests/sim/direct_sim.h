#pragma once

#include <algorithm>

#include "sim/tunnel_sim.h"

namespace qdt::testing {

inline wire::Capabilities with_direct() {
  wire::Capabilities caps = wire::Capabilities::supported();
  caps.direct = true;
  return caps;
}

/// One connection ID for both planes.
inline wire::Capabilities with_shared_id() {
  wire::Capabilities caps = with_direct();
  caps.shared_id = true;
  return caps;
}

/// Whether `payload` is addressed to the direct plane of `session`.
inline bool is_direct_to(const tunnel::Session& session, Bytes payload) {
  const auto id = wire::direct_id_of(payload);
  return id && std::ranges::count(session.direct()->own_ids(), *id) > 0;
}

/// A server and a client with the direct data plane, 20 ms apart.
class DirectSim : public TunnelSim {
 protected:
  explicit DirectSim(bool needs_direct = false)
      : TunnelSim({.caps = with_direct(), .needs_direct = needs_direct},
                  {.caps = with_direct(), .needs_direct = needs_direct}) {}

  bool is_direct() {
    return client.session().direct()->is_usable() && server_session().direct()->is_usable();
  }
  tunnel::Session& server_session() { return **server.tunnel().sessions().begin(); }

  /// A packet up each 10 ms; returns how many did not come.
  std::size_t send_for(Duration duration, std::size_t bytes = 600) {
    const std::size_t before = server.delivered.size();
    std::size_t sent = 0;
    for (const Timestamp end = world.now() + duration; world.now() < end; ++sent) {
      client.inject(up(bytes), world.now());
      world.run_for(10ms);
    }
    world.run_for(200ms);
    return sent - (server.delivered.size() - before);
  }
};

}  // namespace qdt::testing
