#include "wire/hkdf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cstdlib>

namespace qdt::wire {
namespace {

gnutls_datum_t datum(Bytes bytes) {
  // The C interface takes pointers to mutable data that it does not change.
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}

// For calls that can only fail for want of memory, or of an algorithm that GnuTLS was built
// without.
void require(int status) {
  if (status < 0) std::abort();
}

}  // namespace

HkdfSecret hkdf_extract(Bytes salt, Bytes secret) {
  const gnutls_datum_t salt_datum = datum(salt);
  const gnutls_datum_t secret_datum = datum(secret);
  HkdfSecret extracted;
  require(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret_datum, &salt_datum, extracted.data()));
  return extracted;
}

void hkdf_expand(const HkdfSecret& secret, std::string_view info, MutableBytes out) {
  const gnutls_datum_t key = datum(secret);
  const gnutls_datum_t info_datum = datum(as_bytes(info));
  require(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &info_datum, out.data(), out.size()));
}

void wipe(MutableBytes secret) {
  gnutls_memset(secret.data(), 0, secret.size());
}

}  // namespace qdt::wire
