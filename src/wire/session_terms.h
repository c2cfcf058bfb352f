#pragma once

#include <optional>

#include "wire/context_datagram.h"
#include "wire/direct_packet.h"
#include "wire/exporter.h"
#include "wire/psk_keys.h"
#include "wire/seal.h"
#include "wire/session_field.h"

namespace qdt::wire {

/// What the two ends of a session of version 2 make of what they agreed on: the framing of the
/// QUIC plane and the keys of both planes (docs/protocol.md sections 8 to 10).
struct SessionTerms {
  ContextTerms contexts;
  std::optional<DirectSecrets> direct;  ///< with cap `direct`
};

/// The same at both ends of a connection. `caps` are those of the answer; `sealed` is among them
/// only where there is a `psk`. `exporter` is the connection's.
SessionTerms settle_terms(const Exporter& exporter, const SessionCaps& caps,
                          const std::optional<PresharedKey>& psk,
                          const HandshakeNonce& client_nonce, const HandshakeNonce& server_nonce);

}  // namespace qdt::wire
