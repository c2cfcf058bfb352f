#include "wire/header_mask.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/bytes.h"
#include "wire/block_cipher.h"

namespace qdt::wire {
namespace {

struct GnuTlsDeleter {
  void operator()(api_cipher_hd_st* handle) const { gnutls_cipher_deinit(handle); }
};
using GnuTlsCipher = std::unique_ptr<api_cipher_hd_st, GnuTlsDeleter>;

// GnuTLS has no bare block cipher, but CBC of one block with an IV of zeros is just that.
constexpr std::array<std::uint8_t, HeaderMask::kSampleBytes> kZeros{};

GnuTlsCipher make_gnutls(std::span<const std::uint8_t, HeaderMask::kKeyBytes> key) {
  const gnutls_datum_t key_datum{const_cast<unsigned char*>(key.data()),
                                 static_cast<unsigned>(key.size())};
  const gnutls_datum_t iv{const_cast<unsigned char*>(kZeros.data()),
                          static_cast<unsigned>(kZeros.size())};
  gnutls_cipher_hd_t handle = nullptr;
  if (gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_128_CBC, &key_datum, &iv) < 0) std::abort();
  return GnuTlsCipher(handle);
}

}  // namespace

// One of the two.
struct HeaderMask::State {
  std::optional<Aes128Block> ipsec_mb;
  GnuTlsCipher gnutls;
};

HeaderMask::HeaderMask(std::span<const std::uint8_t, kKeyBytes> key, AeadProvider provider)
    : state_(std::make_unique<State>()) {
  if (provider == AeadProvider::kIpsecMb) {
    state_->ipsec_mb.emplace(key);
  } else {
    state_->gnutls = make_gnutls(key);
  }
}

HeaderMask::~HeaderMask() = default;

std::array<std::uint8_t, HeaderMask::kBytes> HeaderMask::of(
    std::span<const std::uint8_t, kSampleBytes> sample) {
  std::array<std::uint8_t, kSampleBytes> block;
  if (state_->ipsec_mb) {
    block = state_->ipsec_mb->encrypt(sample);
  } else {
    gnutls_cipher_set_iv(state_->gnutls.get(), const_cast<std::uint8_t*>(kZeros.data()),
                         kZeros.size());
    if (gnutls_cipher_encrypt2(state_->gnutls.get(), sample.data(), sample.size(), block.data(),
                               block.size()) < 0) {
      std::abort();  // one block of the right size
    }
  }
  std::array<std::uint8_t, kBytes> mask;
  append(mask, Bytes(block).first(kBytes));
  return mask;
}

}  // namespace qdt::wire
