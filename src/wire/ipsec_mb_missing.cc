#include <cstdlib>

#include "wire/block_cipher.h"
#include "wire/ipsec_mb.h"

// Where Intel IPsec-MB is not: nothing here is called, because is_available() says so.

namespace qdt::wire {
namespace ipsec_mb {

struct AeadKey {};

void AeadKeyDeleter::operator()(AeadKey* key) const {
  delete key;
}

bool is_available() {
  return false;
}

AeadKeyPointer expand(AeadAlgorithm, Bytes) {
  std::abort();
}

void seal(const AeadKey&, const AeadNonce&, Bytes, Bytes, MutableBytes) {
  std::abort();
}

bool open(const AeadKey&, const AeadNonce&, Bytes, Bytes, MutableBytes) {
  std::abort();
}

}  // namespace ipsec_mb

Aes128Block::Aes128Block(std::span<const std::uint8_t, kBytes>) {
  std::abort();
}

Aes128Block::~Aes128Block() = default;

std::array<std::uint8_t, Aes128Block::kBytes> Aes128Block::encrypt(
    std::span<const std::uint8_t, kBytes>) const {
  std::abort();
}

}  // namespace qdt::wire
