#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace qdt::wire {

inline constexpr std::size_t kEd25519KeyBytes = 32;
inline constexpr std::size_t kEd25519SignatureBytes = 64;

/// What a private key is made from: 32 random bytes (RFC 8032 section 5.1.5).
using Ed25519Seed = std::array<std::uint8_t, kEd25519KeyBytes>;
using Ed25519PublicKey = std::array<std::uint8_t, kEd25519KeyBytes>;
using Ed25519Signature = std::array<std::uint8_t, kEd25519SignatureBytes>;

/// A private key. One thread; allocates when made and when it signs.
class Ed25519Key {
 public:
  explicit Ed25519Key(const Ed25519Seed& seed);
  ~Ed25519Key();
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;

  const Ed25519PublicKey& public_key() const { return public_key_; }
  /// The signature of `message`; always the same one.
  Ed25519Signature sign(Bytes message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  Ed25519PublicKey public_key_{};
};

/// Whether `signature` is the key's of `message`. A key that is no point of the curve has none, nor
/// has a point of small order, for which anybody could sign.
[[nodiscard]] bool verify_ed25519(const Ed25519PublicKey& key, Bytes message,
                                  const Ed25519Signature& signature);

}  // namespace qdt::wire
