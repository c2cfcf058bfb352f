#include "tunnel/session_facts.h"

#include <algorithm>

#include "tunnel/tunnel.h"

namespace qdt::tunnel {
SessionFacts facts_of(const Session& session, Timestamp now) {
  const plane::DirectPlane* direct = session.direct();
  const plane::QuicPlane* quic = Tunnel::quic_plane_of(session);
  const plane::PathView base = session.base().view();
  SessionFacts facts{.id = session.id(),
                     .user = session.user(),
                     .device = session.device(),
                     .client = session.client_id(),
                     .lease = session.lease(),
                     .lease6 = session.lease6(),
                     .age = now - session.opened_at(),
                     .rtt = base.rtt,
                     .is_direct = direct != nullptr && direct->is_usable(),
                     .traffic = session.traffic(),
                     .rates = session.rates()};
  Timestamp heard_at = std::max(base.heard_at, session.opened_at());
  if (quic != nullptr) {
    facts.outer = quic->connection().path().remote;
    if (quic->connection().is_path_known()) {
      facts.path_mtu = quic->connection().path_mtu() + udp_header_bytes(facts.outer->address);
    }
  }
  if (direct != nullptr) {
    const plane::PathView view = direct->view();
    heard_at = std::max(heard_at, view.heard_at);
    facts.packets_arrived = view.packets_arrived;
    facts.packets_lost = view.packets_lost;
    if (facts.is_direct) facts.rtt = view.rtt;
    if (facts.is_direct) facts.outer = direct->path().remote;
  }
  facts.silence = std::max(now - heard_at, Duration::zero());
  return facts;
}

}  // namespace qdt::tunnel
