#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "quic/http3.h"
#include "wire/exporter.h"
#include "wire/handshake.h"
#include "wire/ip_capsule.h"
#include "wire/request_target.h"
#include "wire/session_field.h"
#include "wire/token_keys.h"

// What a client of version 2 says and believes in the handshake (docs/protocol.md). Pure.

namespace qdt::client {

/// By what the two sides prove themselves.
struct Identity {
  wire::Ed25519Seed seed{};
  /// Those of the server that are believed; empty: its certificate was verified instead.
  std::vector<wire::Ed25519PublicKey> server_keys;
  std::optional<wire::PresharedKey> psk;
  bool needs_sealed = false;  ///< the psk is the device's own, and seals the QUIC plane, too
};

/// That of a token: both sides make the keys of it.
Identity identity_of(std::string_view token);

/// The request for a session. `exporter` is that of the connection that it goes by; `field` goes as
/// it is.
quic::Request version2_request(const Identity& identity, const wire::Authority& authority,
                               std::string_view path_template, const wire::Exporter& exporter,
                               const wire::SessionRequest& field);

/// Reads the answer's field `qdt`, and believes it only if it has the proof of a server that the
/// identity knows, made for this connection and this request. `field`: nothing when the answer has
/// none, as that of a server of CONNECT-IP alone, which is believed only where the identity knows
/// no server key; it gets an answer without caps.
Result<wire::SessionAnswer> believe(const std::optional<std::string>& field,
                                    const Identity& identity, const wire::Exporter& exporter,
                                    const wire::SessionRequest& asked);

/// The lease and the routes, as version 1 has them. Of what is lent the first of each kind counts;
/// there has to be one of IPv4. Routes to everything, and those of single protocols, are left out:
/// route_mode decides on the former.
Result<wire::ConnectResponse> lease_of(const wire::SessionAnswer& answer,
                                       const std::vector<Prefix>& lent,
                                       const std::vector<wire::IpRange>& routes);

}  // namespace qdt::client
