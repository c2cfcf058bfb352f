#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

// GnuTLS's own name for the type behind gnutls_aead_cipher_hd_t.
struct api_aead_cipher_hd_st;

namespace qdt::wire {

inline constexpr std::size_t kHandshakeNonceBytes = 16;
inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNoncePrefixBytes = 4;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

using HandshakeNonce = std::array<std::uint8_t, kHandshakeNonceBytes>;
using AeadNonce = std::array<std::uint8_t, kAeadNonceBytes>;

/// What seals one direction of a session.
struct DirectionKey {
  std::array<std::uint8_t, kKeyBytes> key{};
  std::array<std::uint8_t, kNoncePrefixBytes> nonce_prefix{};

  /// Prefix, then the counter in big-endian order (docs/protocol.md, Keys).
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

/// The key schedule of version 1: HKDF-SHA256 (RFC 5869) over the token, salted with both nonces.
SessionKeys derive_session_keys(std::string_view token, const HandshakeNonce& client_nonce,
                                const HandshakeNonce& server_nonce);

/// Whether two secrets are equal, in a time that tells nothing about where they differ, nor about
/// their lengths.
bool secrets_match(std::string_view a, std::string_view b);

/// An AEAD with its key: ChaCha20-Poly1305 (RFC 8439). One thread; allocates only when made.
class Aead {
 public:
  explicit Aead(const std::array<std::uint8_t, kKeyBytes>& key);

  /// Writes ciphertext and tag to `out`, which has plaintext.size() + kTagBytes. `out` may begin
  /// where `plaintext` does, and may not overlap it otherwise. A nonce is used once.
  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes out);

  /// Writes the plaintext of `sealed` (ciphertext and tag) to `out`, which has
  /// sealed.size() - kTagBytes. False, and nothing usable in `out`, when the tag does not fit.
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes sealed, MutableBytes out);

 private:
  struct Deleter {
    void operator()(api_aead_cipher_hd_st* handle) const;
  };
  std::unique_ptr<api_aead_cipher_hd_st, Deleter> handle_;
};

}  // namespace qdt::wire
