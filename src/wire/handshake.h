#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "wire/datagram.h"
#include "wire/direct_packet.h"
#include "wire/seal.h"

namespace qdt::wire {

inline constexpr std::string_view kConnectPath = "/connect";
inline constexpr std::string_view kTokenHeader = "x-qdt-token";
inline constexpr std::size_t kMaxConnectBodyBytes = 4096;
/// The value that a missing `mtu` stands for.
inline constexpr std::size_t kDefaultMtu = 1350;
/// Every IPv4 host takes packets of this size (RFC 791); a smaller MTU carries nothing useful.
inline constexpr std::size_t kMinMtu = 576;
/// Without this much a link carries no IPv6 (RFC 8200 section 5).
inline constexpr std::size_t kMinIpv6Mtu = 1280;
/// Name servers and routes that one answer may push.
inline constexpr std::size_t kMaxPushedDnsServers = 16;
inline constexpr std::size_t kMaxPushedRoutes = 64;
/// Domains that one answer may push, and their bytes in all.
inline constexpr std::size_t kMaxPushedDomains = 32;
inline constexpr std::size_t kMaxPushedDomainBytes = 2048;
/// The widest prefixes that a server may lend from or push: what takes everything is the client's
/// own decision.
inline constexpr int kMinPrefixLength4 = 8;
inline constexpr int kMinPrefixLength6 = 16;
inline constexpr std::size_t kMaxResumeTokenBytes = 128;
/// Connection IDs of the direct plane that one side may name.
inline constexpr std::size_t kMaxDirectIds = 8;

/// Whether a host of the tunnel may have this address: none of this host itself, of a link (IPv6),
/// of a group or of everybody.
bool is_host_address(const IpAddress& address);
/// Whether a prefix may be routed into the tunnel at a server's wish: a range in which hosts may
/// be, and no wider than kMinPrefixLength4 and 6.
bool is_routable(const Prefix& prefix);

/// The AEAD of a session by whether it has the cap `aes-256-gcm`.
inline AeadAlgorithm aead_of(bool has_aes_256_gcm) {
  return has_aes_256_gcm ? AeadAlgorithm::kAes256Gcm : AeadAlgorithm::kChaCha20Poly1305;
}

/// Names in `caps` (docs/protocol-v1.md, Growing version 1).
namespace cap {
inline constexpr std::string_view kFragment = "fragment";
inline constexpr std::string_view kAead = "aead";
inline constexpr std::string_view kPing = "ping";
inline constexpr std::string_view kClose = "close";
inline constexpr std::string_view kAes256Gcm = "aes-256-gcm";
inline constexpr std::string_view kResume = "resume";
inline constexpr std::string_view kIpv6 = "ipv6";
inline constexpr std::string_view kRoutes = "routes";
inline constexpr std::string_view kDnsDomains = "dns_domains";
inline constexpr std::string_view kDirect = "direct";
inline constexpr std::string_view kSharedId = "shared_id";
}  // namespace cap

/// Which inner AEAD to agree on. Version 1 itself has ChaCha20-Poly1305, so that is what a peer
/// without the capability always gets.
enum class AeadPreference : std::uint8_t {
  kAuto,  ///< AES-256-GCM where the processor has instructions for it
  kChaCha20Poly1305,
  kAes256Gcm,
};

/// Capabilities that change what an implementation of this project may send, once both sides
/// named them.
struct Capabilities {
  bool ping = false;
  bool close = false;
  bool aes_256_gcm = false;
  bool resume = false;
  bool ipv6 = false;
  bool routes = false;
  bool dns_domains = false;
  bool direct = false;
  bool shared_id = false;  ///< only together with `direct`

  /// The capabilities of this implementation on this processor; `direct` and `shared_id` are for
  /// the configuration to say.
  static Capabilities supported(AeadPreference preference = AeadPreference::kAuto);
  static Capabilities from_names(const std::vector<std::string>& names);
  std::vector<std::string> names() const;
  /// The capabilities that both sides have.
  Capabilities operator&(const Capabilities& other) const {
    return {.ping = ping && other.ping,
            .close = close && other.close,
            .aes_256_gcm = aes_256_gcm && other.aes_256_gcm,
            .resume = resume && other.resume,
            .ipv6 = ipv6 && other.ipv6,
            .routes = routes && other.routes,
            .dns_domains = dns_domains && other.dns_domains,
            .direct = direct && other.direct,
            .shared_id = shared_id && other.shared_id};
  }
  /// The inner AEAD of a session that has these.
  AeadAlgorithm aead() const { return aead_of(aes_256_gcm); }
  bool operator==(const Capabilities&) const = default;
};

/// How a handshake ended: `ok` or one of the refusals, in the order in which they are checked.
enum class HandshakeResult : std::uint8_t {
  kOk,
  kNotReady,
  kMethod,
  kUnauthorized,
  kRateLimited,
  kBusy,
  kNotHttp3,
  kBadRequest,
  kBadNonce,
  kLimitedScope,
  kPoolExhausted,
  // To tickets (docs/protocol.md section 12).
  kEnrolled,
  kLinkUsed,
  kLinkExpired,
  kTooManyDevices,
  kKeyInUse,
  kCount
};

struct HandshakeStatus {
  int status;              ///< HTTP status
  std::string_view body;   ///< plain text; empty for kOk
  std::string_view label;  ///< `result` of qdt_handshakes_total
};

HandshakeStatus handshake_status(HandshakeResult result);

/// The body of `POST /connect`.
struct ConnectRequest {
  HandshakeNonce client_nonce{};
  std::size_t mtu = kDefaultMtu;
  Capabilities caps;
  std::string client_id;  ///< fit for a log line (quote_peer_name())
  std::string platform;   ///< likewise
  /// From an earlier answer, to get its lease again; empty for a lease of any kind. At most
  /// kMaxResumeTokenBytes printable characters.
  std::string resume_token;
  /// With cap `direct`: what the server is to address its direct packets to.
  std::vector<DirectId> direct_ids;
};

/// The IPv6 side of a lease.
struct Ipv6Addresses {
  IpAddress client_ip;
  IpAddress gateway_ip;
  Prefix cidr;  ///< contains both

  bool operator==(const Ipv6Addresses&) const = default;
};

/// The body of its answer.
struct ConnectResponse {
  SessionId session_id = 0;
  HandshakeNonce server_nonce{};
  std::size_t mtu = kDefaultMtu;
  IpAddress client_ip;
  IpAddress gateway_ip;
  Prefix cidr;
  std::vector<IpAddress> dns;
  Capabilities caps;
  /// Each only with its cap: `ipv6`, `routes`, `dns_domains`, `resume`, `direct`.
  std::optional<Ipv6Addresses> ipv6;
  std::vector<Prefix>
      routes;  ///< beyond `cidr`, what the server asks to be sent through the tunnel
  /// The names that `dns` is for, where a client does not send everything through the tunnel: those
  /// of these domains and below. At most kMaxPushedDomains.
  std::vector<std::string> dns_domains;
  std::string resume_token;          ///< as in the request; empty: there is nothing to resume
  std::vector<DirectId> direct_ids;  ///< as in the request, for the client's direct packets
};

/// kBadRequest or kBadNonce when the body is not as docs/protocol-v1.md has it.
std::expected<ConnectRequest, HandshakeResult> parse_connect_request(std::string_view body);
std::string to_json(const ConnectRequest& request);

/// All of the answer or nothing: the error says which member is wrong and why. `offered` is what
/// the request had; of the answer's `caps` only those remain, and members of other caps are
/// ignored.
Result<ConnectResponse> parse_connect_response(std::string_view body, const Capabilities& offered);
std::string to_json(const ConnectResponse& response);
/// Whether `body` is meant as one, well or badly formed, and not as some other answer.
bool is_connect_response(std::string_view body);

}  // namespace qdt::wire
