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

void expand(Bytes secret, Bytes info, MutableBytes out) {
  const gnutls_datum_t key = datum(secret);
  const gnutls_datum_t info_datum = datum(info);
  require(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &info_datum, out.data(), out.size()));
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
  expand(secret, as_bytes(info), out);
}

void hkdf_expand_label(std::span<const std::uint8_t, kSha256Bytes> secret, std::string_view label,
                       MutableBytes out) {
  constexpr std::string_view kPrefix = "tls13 ";
  // Two bytes of length, the label behind its own, and no context behind its length.
  const std::size_t info_bytes = 2 + 1 + kPrefix.size() + label.size() + 1;
  std::array<std::uint8_t, 28> info{};
  info[1] = static_cast<std::uint8_t>(out.size());
  info[2] = static_cast<std::uint8_t>(kPrefix.size() + label.size());
  append(append(MutableBytes(info).subspan(3), as_bytes(kPrefix)), as_bytes(label));
  expand(secret, Bytes(info).first(info_bytes), out);
}

void wipe(MutableBytes secret) {
  gnutls_memset(secret.data(), 0, secret.size());
}

}  // namespace qdt::wire
