#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace qdt::wire {

inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;
/// The length of the longest key there is.
inline constexpr std::size_t kMaxAeadKeyBytes = 32;

using AeadNonce = std::array<std::uint8_t, kAeadNonceBytes>;

/// Authenticated encryption: AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), all with
/// nonces of 12 bytes and tags of 16.
enum class AeadAlgorithm : std::uint8_t { kAes128Gcm, kAes256Gcm, kChaCha20Poly1305 };

constexpr std::size_t key_bytes(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::kAes128Gcm ? 16 : kMaxAeadKeyBytes;
}

/// The library that computes.
enum class AeadProvider : std::uint8_t {
  kGnuTls,   ///< everywhere
  kIpsecMb,  ///< Intel IPsec-MB, on x86-64: one packet costs a third of GnuTLS's time or less
};

/// The fastest that this processor has; always the same one.
AeadProvider best_aead_provider();
/// Whether AES-GCM is the fastest here: the processor has AES instructions, and we use them.
bool has_fast_aes();

/// An AEAD with its key. One thread; allocates only when made.
class Aead {
 public:
  /// `key` has key_bytes(algorithm).
  Aead(AeadAlgorithm algorithm, Bytes key, AeadProvider provider = best_aead_provider());
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  /// Writes ciphertext and tag to `out`, which has plaintext.size() + kTagBytes. `out` may begin
  /// where `plaintext` does, and may not overlap it otherwise. A nonce is used once.
  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes out);

  /// Writes the plaintext of `sealed` (ciphertext and tag) to `out`, which has
  /// sealed.size() - kTagBytes. False, and nothing usable in `out`, when the tag does not fit.
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes sealed, MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qdt::wire
