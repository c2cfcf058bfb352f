#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "wire/aead.h"
#include "wire/hkdf.h"

namespace qdt::wire {

inline constexpr std::size_t kHandshakeNonceBytes = 16;
inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNoncePrefixBytes = 4;

using HandshakeNonce = std::array<std::uint8_t, kHandshakeNonceBytes>;

/// The sealer of one direction of a session.
struct DirectionKey {
  AeadAlgorithm algorithm = AeadAlgorithm::kChaCha20Poly1305;
  std::array<std::uint8_t, kKeyBytes> key{};
  std::array<std::uint8_t, kNoncePrefixBytes> nonce_prefix{};

  /// Prefix, then the counter in big-endian order (docs/protocol-v1.md, Keys).
  AeadNonce nonce(std::uint64_t counter) const {
    AeadNonce nonce;
    append(nonce, nonce_prefix);
    store_be<std::uint64_t>(nonce.data() + kNoncePrefixBytes, counter);
    return nonce;
  }
};

struct SessionKeys {
  DirectionKey client;  ///< client to server
  DirectionKey server;  ///< server to client
};

/// HKDF-Extract over `secret`, salted with both sides' nonces: all key schedules begin with it.
HkdfSecret extract_session_secret(const HandshakeNonce& client_nonce,
                                  const HandshakeNonce& server_nonce, Bytes secret);

/// Both directions' keys, 72 bytes of HKDF-Expand. `algorithm` is not kAes128Gcm.
SessionKeys expand_session_keys(const HkdfSecret& extracted, std::string_view info,
                                AeadAlgorithm algorithm);

/// The key schedule of version 1: HKDF-SHA256 (RFC 5869) over the token, salted with both nonces.
/// `algorithm` is kChaCha20Poly1305, or kAes256Gcm where both sides have that capability; each has
/// keys of its own.
SessionKeys derive_session_keys(std::string_view token, const HandshakeNonce& client_nonce,
                                const HandshakeNonce& server_nonce,
                                AeadAlgorithm algorithm = AeadAlgorithm::kChaCha20Poly1305);

/// SHA-256: by which a secret can be looked for in a table in a time that tells nothing about it.
std::array<std::uint8_t, 32> secret_digest(std::string_view secret);

/// Whether two digests of secrets are equal, in a time that tells nothing about where they differ.
bool digests_match(const std::array<std::uint8_t, 32>& a, const std::array<std::uint8_t, 32>& b);

/// Whether two secrets are equal, in a time that tells nothing about where they differ, nor about
/// their lengths.
bool secrets_match(std::string_view a, std::string_view b);

}  // namespace qdt::wire
