#pragma once

// Intel IPsec-MB as aead.cc and QUIC's header protection use it. Compiled from ipsec_mb.cc where
// the library is (x86-64), from ipsec_mb_missing.cc elsewhere.

#include <memory>

#include "base/bytes.h"
#include "wire/aead.h"

namespace qdt::wire::ipsec_mb {

/// Whether the library is there and the processor has AES and carry-less multiplication; without
/// them GnuTLS is as good. Never changes.
bool is_available();

/// An expanded key; zeroed when it goes. Only where is_available().
struct AeadKey;
struct AeadKeyDeleter {
  void operator()(AeadKey* key) const;
};
using AeadKeyPointer = std::unique_ptr<AeadKey, AeadKeyDeleter>;

AeadKeyPointer expand(AeadAlgorithm algorithm, Bytes key);
void seal(const AeadKey& key, const AeadNonce& nonce, Bytes associated, Bytes plaintext,
          MutableBytes out);
[[nodiscard]] bool open(const AeadKey& key, const AeadNonce& nonce, Bytes associated, Bytes sealed,
                        MutableBytes out);

}  // namespace qdt::wire::ipsec_mb
