#include "wire/ipsec_mb.h"

#include <intel-ipsec-mb.h>

#include <cassert>
#include <cstdlib>

#include "wire/block_cipher.h"

namespace qdt::wire {
namespace {

// The library's table of functions, for this processor. Read by every thread, never written.
const IMB_MGR* functions() {
  static const IMB_MGR* const table = [] {
    IMB_MGR* manager = ::alloc_mb_mgr(0);
    if (manager == nullptr) std::abort();  // only for want of memory
    ::init_mb_mgr_auto(manager, nullptr);
    return manager;
  }();
  return table;
}

// In constant time: how far two tags agree is nobody's business.
bool tags_match(const std::uint8_t* a, const std::uint8_t* b) {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < kTagBytes; ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

}  // namespace

namespace ipsec_mb {

struct AeadKey {
  AeadAlgorithm algorithm;
  std::array<std::uint8_t, kMaxAeadKeyBytes> chacha20;
  alignas(64) gcm_key_data gcm;
};

void AeadKeyDeleter::operator()(AeadKey* key) const {
  ::imb_clear_mem(key, sizeof *key);
  delete key;
}

bool is_available() {
  constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  return (functions()->features & kNeeded) == kNeeded;
}

AeadKeyPointer expand(AeadAlgorithm algorithm, Bytes key) {
  assert(key.size() == key_bytes(algorithm));
  AeadKeyPointer expanded(new AeadKey{.algorithm = algorithm, .chacha20 = {}, .gcm = {}});
  switch (algorithm) {
    case AeadAlgorithm::kAes128Gcm:
      IMB_AES128_GCM_PRE(functions(), key.data(), &expanded->gcm);
      break;
    case AeadAlgorithm::kAes256Gcm:
      IMB_AES256_GCM_PRE(functions(), key.data(), &expanded->gcm);
      break;
    case AeadAlgorithm::kChaCha20Poly1305: append(expanded->chacha20, key); break;
  }
  return expanded;
}

void seal(const AeadKey& key, const AeadNonce& nonce, Bytes associated, Bytes plaintext,
          MutableBytes out) {
  std::uint8_t* tag = out.data() + plaintext.size();
  if (key.algorithm == AeadAlgorithm::kChaCha20Poly1305) {
    chacha20_poly1305_context_data context;
    IMB_CHACHA20_POLY1305_INIT(functions(), key.chacha20.data(), &context, nonce.data(),
                               associated.data(), associated.size());
    IMB_CHACHA20_POLY1305_ENC_UPDATE(functions(), key.chacha20.data(), &context, out.data(),
                                     plaintext.data(), plaintext.size());
    IMB_CHACHA20_POLY1305_ENC_FINALIZE(functions(), &context, tag, kTagBytes);
    return;
  }
  const auto encrypt = key.algorithm == AeadAlgorithm::kAes128Gcm ? functions()->gcm128_enc
                                                                  : functions()->gcm256_enc;
  gcm_context_data context;
  encrypt(&key.gcm, &context, out.data(), plaintext.data(), plaintext.size(), nonce.data(),
          associated.data(), associated.size(), tag, kTagBytes);
}

bool open(const AeadKey& key, const AeadNonce& nonce, Bytes associated, Bytes sealed,
          MutableBytes out) {
  const Bytes ciphertext = sealed.first(sealed.size() - kTagBytes);
  std::array<std::uint8_t, kTagBytes> expected;
  append(expected, sealed.last(kTagBytes));  // `out` may overwrite it
  std::array<std::uint8_t, kTagBytes> tag;
  if (key.algorithm == AeadAlgorithm::kChaCha20Poly1305) {
    chacha20_poly1305_context_data context;
    IMB_CHACHA20_POLY1305_INIT(functions(), key.chacha20.data(), &context, nonce.data(),
                               associated.data(), associated.size());
    IMB_CHACHA20_POLY1305_DEC_UPDATE(functions(), key.chacha20.data(), &context, out.data(),
                                     ciphertext.data(), ciphertext.size());
    IMB_CHACHA20_POLY1305_DEC_FINALIZE(functions(), &context, tag.data(), kTagBytes);
  } else {
    const auto decrypt = key.algorithm == AeadAlgorithm::kAes128Gcm ? functions()->gcm128_dec
                                                                    : functions()->gcm256_dec;
    gcm_context_data context;
    decrypt(&key.gcm, &context, out.data(), ciphertext.data(), ciphertext.size(), nonce.data(),
            associated.data(), associated.size(), tag.data(), kTagBytes);
  }
  return tags_match(tag.data(), expected.data());
}

}  // namespace ipsec_mb

Aes128Block::Aes128Block(std::span<const std::uint8_t, kBytes> key) {
  std::array<std::uint8_t, kRoundKeys * kBytes> for_decryption;
  IMB_AES_KEYEXP_128(functions(), key.data(), round_keys_.data(), for_decryption.data());
  ::imb_clear_mem(for_decryption.data(), for_decryption.size());
}

Aes128Block::~Aes128Block() {
  ::imb_clear_mem(round_keys_.data(), round_keys_.size());
}

std::array<std::uint8_t, Aes128Block::kBytes> Aes128Block::encrypt(
    std::span<const std::uint8_t, kBytes> block) const {
  // The library has no plain block encryption, but CFB of one block of zeros is just that: the
  // block, as the IV, is encrypted and added to the zeros.
  constexpr std::array<std::uint8_t, kBytes> kZeros{};
  std::array<std::uint8_t, kBytes> encrypted;
  IMB_AES128_CFB_ONE(functions(), encrypted.data(), kZeros.data(), block.data(), round_keys_.data(),
                     kBytes);
  return encrypted;
}

}  // namespace qdt::wire
