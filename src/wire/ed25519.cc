#include "wire/ed25519.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "wire/hkdf.h"

namespace qdt::wire {
namespace {

// What stands before the seed in a private key of PKCS #8 (RFC 8410 section 7).
constexpr std::array<std::uint8_t, 16> kPkcs8Prefix = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

gnutls_datum_t datum(Bytes bytes) {
  // The C interface takes pointers to mutable data that it does not change.
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}

// For calls that can only fail for want of memory, or of an algorithm that GnuTLS was built
// without.
void require(int status) {
  if (status < 0) std::abort();
}

// A key of small order has signatures that anybody can make, and GnuTLS takes it. There are eight
// such points, of which two by two differ in the sign alone; 0 and 1 have a second form each, above
// the field's prime.
bool has_small_order(const Ed25519PublicKey& key) {
  constexpr Ed25519PublicKey kZero = {};
  constexpr Ed25519PublicKey kOne = {1};
  constexpr Ed25519PublicKey kOfOrder8 = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
                                          0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
                                          0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
                                          0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
  constexpr Ed25519PublicKey kItsNegative = {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
                                             0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
                                             0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
                                             0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
  Ed25519PublicKey y = key;
  y[31] &= 0x7f;  // the sign of x
  if (y == kZero || y == kOne || y == kOfOrder8 || y == kItsNegative) return true;
  // 2^255 - 20 to 2^255 - 18: the prime, and one less and more.
  return y[0] >= 0xec && y[0] <= 0xee && y[31] == 0x7f &&
         std::all_of(y.begin() + 1, y.end() - 1, [](std::uint8_t byte) { return byte == 0xff; });
}

Ed25519PublicKey public_half(gnutls_x509_privkey_t key) {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  gnutls_datum_t x{};
  gnutls_datum_t y{};
  gnutls_datum_t k{};
  require(gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &k));
  assert(curve == GNUTLS_ECC_CURVE_ED25519 && x.size == kEd25519KeyBytes);
  Ed25519PublicKey half;
  append(half, {x.data, x.size});
  wipe({k.data, k.size});
  gnutls_free(x.data);
  gnutls_free(y.data);
  gnutls_free(k.data);
  return half;
}

}  // namespace

struct Ed25519Key::State {
  gnutls_privkey_t key = nullptr;

  State() { require(gnutls_privkey_init(&key)); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { gnutls_privkey_deinit(key); }
};

Ed25519Key::Ed25519Key(const Ed25519Seed& seed) : state_(std::make_unique<State>()) {
  // GnuTLS makes the public half of a key in this form alone; a raw key comes with both halves.
  std::array<std::uint8_t, kPkcs8Prefix.size() + kEd25519KeyBytes> encoded;
  append(append(encoded, kPkcs8Prefix), seed);
  gnutls_x509_privkey_t key = nullptr;
  require(gnutls_x509_privkey_init(&key));
  const gnutls_datum_t encoded_datum = datum(encoded);
  require(gnutls_x509_privkey_import_pkcs8(key, &encoded_datum, GNUTLS_X509_FMT_DER, nullptr,
                                           GNUTLS_PKCS_PLAIN));
  wipe(encoded);
  public_key_ = public_half(key);
  require(gnutls_privkey_import_x509(state_->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE));
}

Ed25519Key::~Ed25519Key() = default;
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;

Ed25519Signature Ed25519Key::sign(Bytes message) const {
  const gnutls_datum_t message_datum = datum(message);
  gnutls_datum_t signed_datum{};
  require(gnutls_privkey_sign_data2(state_->key, GNUTLS_SIGN_EDDSA_ED25519, 0, &message_datum,
                                    &signed_datum));
  assert(signed_datum.size == kEd25519SignatureBytes);
  Ed25519Signature signature;
  append(signature, {signed_datum.data, signed_datum.size});
  gnutls_free(signed_datum.data);
  return signature;
}

bool verify_ed25519(const Ed25519PublicKey& key, Bytes message, const Ed25519Signature& signature) {
  const bool is_sound = !has_small_order(key);
  gnutls_pubkey_t imported = nullptr;
  require(gnutls_pubkey_init(&imported));
  const gnutls_datum_t key_datum = datum(key);
  const gnutls_datum_t message_datum = datum(message);
  const gnutls_datum_t signature_datum = datum(signature);
  const bool is_key =
      gnutls_pubkey_import_ecc_raw(imported, GNUTLS_ECC_CURVE_ED25519, &key_datum, nullptr) >= 0;
  const bool is_valid = is_key && gnutls_pubkey_verify_data2(imported, GNUTLS_SIGN_EDDSA_ED25519, 0,
                                                             &message_datum, &signature_datum) >= 0;
  gnutls_pubkey_deinit(imported);
  return is_valid && is_sound;
}

}  // namespace qdt::wire
