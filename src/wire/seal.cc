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
constexpr std::size_t kSha256Bytes = 32;

gnutls_datum_t datum(Bytes bytes) {
  // The C interface takes pointers to mutable data that it does not change.
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}

// What can only fail for want of memory, or of an algorithm that GnuTLS was built without.
void require(int status) {
  if (status < 0) std::abort();
}

}  // namespace

SessionKeys derive_session_keys(std::string_view token, const HandshakeNonce& client_nonce,
                                const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  assert(algorithm != AeadAlgorithm::kAes128Gcm);
  std::array<std::uint8_t, 2 * kHandshakeNonceBytes> salt_bytes;
  append(append(salt_bytes, client_nonce), server_nonce);

  const gnutls_datum_t secret = datum(as_bytes(token));
  const gnutls_datum_t salt = datum(salt_bytes);
  std::array<std::uint8_t, kSha256Bytes> pseudo_random_key;
  require(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret, &salt, pseudo_random_key.data()));

  const gnutls_datum_t key = datum(pseudo_random_key);
  const bool is_aes = algorithm == AeadAlgorithm::kAes256Gcm;
  const gnutls_datum_t info = datum(as_bytes(is_aes ? kAesInfo : kChaChaInfo));
  std::array<std::uint8_t, 2 * kKeyBytes + 2 * kNoncePrefixBytes> material;
  require(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &info, material.data(), material.size()));

  SessionKeys keys{.client = {.algorithm = algorithm}, .server = {.algorithm = algorithm}};
  const Bytes all(material);
  append(keys.client.key, all.subspan(0, kKeyBytes));
  append(keys.server.key, all.subspan(kKeyBytes, kKeyBytes));
  append(keys.client.nonce_prefix, all.subspan(2 * kKeyBytes, kNoncePrefixBytes));
  append(keys.server.nonce_prefix, all.last(kNoncePrefixBytes));
  return keys;
}

std::array<std::uint8_t, 32> secret_digest(std::string_view secret) {
  std::array<std::uint8_t, kSha256Bytes> digest;
  require(gnutls_hash_fast(GNUTLS_DIG_SHA256, secret.data(), secret.size(), digest.data()));
  return digest;
}

bool secrets_match(std::string_view a, std::string_view b) {
  // Digests have one length, so that a comparison in constant time hides the secrets' lengths too.
  const auto digest_a = secret_digest(a);
  const auto digest_b = secret_digest(b);
  return gnutls_memcmp(digest_a.data(), digest_b.data(), kSha256Bytes) == 0;
}

}  // namespace qdt::wire
