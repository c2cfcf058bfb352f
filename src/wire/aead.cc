#include "wire/aead.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cassert>
#include <cstdlib>

#include "wire/ipsec_mb.h"

namespace qdt::wire {
namespace {

gnutls_cipher_algorithm_t to_gnutls(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kAes128Gcm: return GNUTLS_CIPHER_AES_128_GCM;
    case AeadAlgorithm::kAes256Gcm: return GNUTLS_CIPHER_AES_256_GCM;
    case AeadAlgorithm::kChaCha20Poly1305: return GNUTLS_CIPHER_CHACHA20_POLY1305;
  }
  std::abort();
}

// For calls that can only fail for want of memory, or of an algorithm that GnuTLS was built
// without.
void require(int status) {
  if (status < 0) std::abort();
}

struct GnuTlsDeleter {
  void operator()(api_aead_cipher_hd_st* handle) const { gnutls_aead_cipher_deinit(handle); }
};

}  // namespace

// One of the two.
struct Aead::State {
  ipsec_mb::AeadKeyPointer ipsec_mb;
  std::unique_ptr<api_aead_cipher_hd_st, GnuTlsDeleter> gnutls;
};

AeadProvider best_aead_provider() {
  return ipsec_mb::is_available() ? AeadProvider::kIpsecMb : AeadProvider::kGnuTls;
}

bool has_fast_aes() {
  return best_aead_provider() == AeadProvider::kIpsecMb;
}

Aead::Aead(AeadAlgorithm algorithm, Bytes key, AeadProvider provider)
    : state_(std::make_unique<State>()) {
  assert(key.size() == key_bytes(algorithm));
  if (provider == AeadProvider::kIpsecMb) {
    state_->ipsec_mb = ipsec_mb::expand(algorithm, key);
    return;
  }
  // The C interface takes a pointer to mutable data that it does not change.
  const gnutls_datum_t datum{const_cast<unsigned char*>(key.data()),
                             static_cast<unsigned>(key.size())};
  gnutls_aead_cipher_hd_t handle = nullptr;
  require(gnutls_aead_cipher_init(&handle, to_gnutls(algorithm), &datum));
  state_->gnutls.reset(handle);
}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes out) {
  assert(out.size() == plaintext.size() + kTagBytes);
  if (state_->ipsec_mb) {
    ipsec_mb::seal(*state_->ipsec_mb, nonce, associated, plaintext, out);
    return;
  }
  std::size_t written = out.size();
  require(gnutls_aead_cipher_encrypt(state_->gnutls.get(), nonce.data(), nonce.size(),
                                     associated.data(), associated.size(), kTagBytes,
                                     plaintext.data(), plaintext.size(), out.data(), &written));
}

bool Aead::open(const AeadNonce& nonce, Bytes associated, Bytes sealed, MutableBytes out) {
  if (sealed.size() < kTagBytes) return false;
  assert(out.size() == sealed.size() - kTagBytes);
  if (state_->ipsec_mb) return ipsec_mb::open(*state_->ipsec_mb, nonce, associated, sealed, out);

  std::size_t written = out.size();
  return gnutls_aead_cipher_decrypt(state_->gnutls.get(), nonce.data(), nonce.size(),
                                    associated.data(), associated.size(), kTagBytes, sealed.data(),
                                    sealed.size(), out.data(), &written) == 0;
}

}  // namespace qdt::wire
