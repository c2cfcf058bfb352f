#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "wire/direct_packet.h"
#include "wire/ed25519.h"
#include "wire/handshake.h"
#include "wire/seal.h"

namespace qdt::wire {

/// The header field by which two peers of this project agree on what CONNECT-IP does not have
/// (docs/protocol.md section 4).
inline constexpr std::string_view kSessionFieldName = "qdt";

/// What a session of version 2 may use once both sides named it (docs/protocol.md, Caps).
struct SessionCaps {
  bool ping = false;
  bool close = false;
  bool fragment = false;
  bool aes_256_gcm = false;
  bool resume = false;
  bool direct = false;
  bool shared_id = false;  ///< only together with `direct`
  bool sealed = false;

  /// Those that both sides have.
  SessionCaps operator&(const SessionCaps& other) const;
  /// Of the planes that have keys of their own: the direct one, and QUIC's where it is `sealed`.
  AeadAlgorithm aead() const { return aead_of(aes_256_gcm); }
  bool operator==(const SessionCaps&) const = default;
};

/// The same in version 1's terms, in which decisions are made: its caps that version 2 always has
/// are there.
Capabilities to_capabilities(const SessionCaps& caps);
/// The inverse. Whoever speaks version 2 here can take fragments; `sealed` is the caller's to say.
SessionCaps to_session_caps(const Capabilities& caps);

/// `qdt` in a request.
struct SessionRequest {
  HandshakeNonce nonce{};
  SessionCaps caps;
  std::size_t mtu = 0;
  std::vector<DirectId> direct_ids;  ///< with cap `direct`: 1 to kMaxDirectIds, no two alike
  std::string resume_token;          ///< with cap `resume`; empty: none
  std::string name;                  ///< as read, fit for a log line (quote_peer_name())
  std::string platform;              ///< likewise
  /// From a ticket: the key of the device that is to be enrolled (section 12).
  std::optional<Ed25519PublicKey> enrol;

  bool operator==(const SessionRequest&) const = default;
};

/// `qdt` in an answer.
struct SessionAnswer {
  HandshakeNonce nonce{};
  SessionCaps caps;
  std::size_t mtu = 0;
  std::vector<DirectId> direct_ids;  ///< as in the request
  std::string resume_token;          ///< as in the request
  std::vector<IpAddress> gateways;   ///< at most one of each IP version
  std::vector<Prefix> pools;         ///< likewise: what leases are of
  std::vector<IpAddress> dns;        ///< at most kMaxPushedDnsServers
  std::vector<std::string> domains;  ///< at most kMaxPushedDomains; empty: `dns` is for all names
  std::optional<Ed25519PublicKey> key;  ///< the server's; both or none
  Ed25519Signature proof{};

  bool operator==(const SessionAnswer&) const = default;
};

/// All of a field or, with the reason, nothing. What belongs to a cap that is not named is ignored.
Result<SessionRequest> parse_session_request(std::string_view field);
/// Of the answer's caps only those of `offered` remain.
Result<SessionAnswer> parse_session_answer(std::string_view field, const SessionCaps& offered);

/// Letters of a name that have no place in a structured field become '?'.
std::string write_session_field(const SessionRequest& request);
std::string write_session_field(const SessionAnswer& answer);

}  // namespace qdt::wire
