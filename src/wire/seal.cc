#include "wire/seal.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cassert>
#include <cstdlib>
#include <span>

namespace qdt::wire {
namespace {

constexpr std::string_view kChaChaInfo = "qdt-aead-v1";
constexpr std::string_view kAesInfo = "qdt-aes256gcm-v1";

// For calls that can only fail for want of memory, or of an algorithm that GnuTLS was built
// without.
void require(int status) {
  if (status < 0) std::abort();
}

}  // namespace

HkdfSecret extract_session_secret(const HandshakeNonce& client_nonce,
                                  const HandshakeNonce& server_nonce, Bytes secret) {
  std::array<std::uint8_t, 2 * kHandshakeNonceBytes> salt;
  append(append(salt, client_nonce), server_nonce);
  return hkdf_extract(salt, secret);
}

SessionKeys expand_session_keys(const HkdfSecret& extracted, std::string_view info,
                                AeadAlgorithm algorithm) {
  assert(key_bytes(algorithm) == kKeyBytes);
  std::array<std::uint8_t, 2 * kKeyBytes + 2 * kNoncePrefixBytes> material;
  hkdf_expand(extracted, info, material);

  SessionKeys keys{.client = {.algorithm = algorithm}, .server = {.algorithm = algorithm}};
  const Bytes all(material);
  append(keys.client.key, all.subspan(0, kKeyBytes));
  append(keys.server.key, all.subspan(kKeyBytes, kKeyBytes));
  append(keys.client.nonce_prefix, all.subspan(2 * kKeyBytes, kNoncePrefixBytes));
  append(keys.server.nonce_prefix, all.last(kNoncePrefixBytes));
  wipe(material);
  return keys;
}

SessionKeys derive_session_keys(std::string_view token, const HandshakeNonce& client_nonce,
                                const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  const bool is_aes = algorithm == AeadAlgorithm::kAes256Gcm;
  HkdfSecret extracted = extract_session_secret(client_nonce, server_nonce, as_bytes(token));
  const SessionKeys keys =
      expand_session_keys(extracted, is_aes ? kAesInfo : kChaChaInfo, algorithm);
  wipe(extracted);
  return keys;
}

std::array<std::uint8_t, 32> secret_digest(std::string_view secret) {
  std::array<std::uint8_t, kSha256Bytes> digest;
  require(gnutls_hash_fast(GNUTLS_DIG_SHA256, secret.data(), secret.size(), digest.data()));
  return digest;
}

bool digests_match(const std::array<std::uint8_t, 32>& a, const std::array<std::uint8_t, 32>& b) {
  return gnutls_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool secrets_match(std::string_view a, std::string_view b) {
  // Digests have one length, so that a comparison in constant time hides the secrets' lengths too.
  return digests_match(secret_digest(a), secret_digest(b));
}

}  // namespace qdt::wire
