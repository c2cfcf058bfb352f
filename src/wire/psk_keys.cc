#include "wire/psk_keys.h"

#include <array>

namespace qdt::wire {
namespace {

constexpr std::string_view kChaChaInfo = "qdt-v2 sealed chacha20-poly1305";
constexpr std::string_view kAesInfo = "qdt-v2 sealed aes-256-gcm";

}  // namespace

SessionKeys derive_sealed_keys(const HkdfSecret& exported, const PresharedKey& psk,
                               const HandshakeNonce& client_nonce,
                               const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  std::array<std::uint8_t, kSha256Bytes + std::tuple_size_v<PresharedKey>> secret;
  append(append(secret, exported), psk);
  HkdfSecret extracted = extract_session_secret(client_nonce, server_nonce, secret);
  wipe(secret);
  const bool is_aes = algorithm == AeadAlgorithm::kAes256Gcm;
  const SessionKeys keys =
      expand_session_keys(extracted, is_aes ? kAesInfo : kChaChaInfo, algorithm);
  wipe(extracted);
  return keys;
}

DirectSecrets derive_direct_secrets(const HkdfSecret& exported,
                                    const std::optional<PresharedKey>& psk,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  const std::string_view secret = psk ? as_text(*psk) : std::string_view();
  return derive_direct_secrets(exported, secret, client_nonce, server_nonce, algorithm);
}

}  // namespace qdt::wire
