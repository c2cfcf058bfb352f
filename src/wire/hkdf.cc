#include "wire/hkdf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <array>
#include <cassert>
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

void expand(gnutls_mac_algorithm_t hash, Bytes secret, Bytes info, MutableBytes out) {
  const gnutls_datum_t key = datum(secret);
  const gnutls_datum_t info_datum = datum(info);
  require(gnutls_hkdf_expand(hash, &key, &info_datum, out.data(), out.size()));
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
  expand(GNUTLS_MAC_SHA256, secret, as_bytes(info), out);
}

void hkdf_expand_label(std::span<const std::uint8_t, kSha256Bytes> secret, std::string_view label,
                       MutableBytes out) {
  hkdf_expand_label(secret, label, {}, out);
}

void hkdf_expand_label(Bytes secret, std::string_view label, Bytes context, MutableBytes out) {
  constexpr std::string_view kPrefix = "tls13 ";
  const std::size_t label_bytes = kPrefix.size() + label.size();
  assert(label_bytes <= 255 && context.size() <= 255);
  // Two bytes of length, then the label and the context, each behind its own.
  std::array<std::uint8_t, 2 + 1 + 255 + 1 + 255> info;
  store_be<std::uint16_t>(info.data(), static_cast<std::uint16_t>(out.size()));
  info[2] = static_cast<std::uint8_t>(label_bytes);
  MutableBytes rest =
      append(append(MutableBytes(info).subspan(3), as_bytes(kPrefix)), as_bytes(label));
  rest[0] = static_cast<std::uint8_t>(context.size());
  rest = append(rest.subspan(1), context);
  const bool is_sha384 = secret.size() == kSha384Bytes;
  expand(is_sha384 ? GNUTLS_MAC_SHA384 : GNUTLS_MAC_SHA256, secret,
         Bytes(info).first(info.size() - rest.size()), out);
}

void tls_hash(Bytes message, MutableBytes out) {
  assert(out.size() == kSha256Bytes || out.size() == kSha384Bytes);
  const bool is_sha384 = out.size() == kSha384Bytes;
  require(gnutls_hash_fast(is_sha384 ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA256, message.data(),
                           message.size(), out.data()));
}

void wipe(MutableBytes secret) {
  gnutls_memset(secret.data(), 0, secret.size());
}

}  // namespace qdt::wire
