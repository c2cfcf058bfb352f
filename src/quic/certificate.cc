#include "quic/certificate.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <limits>
#include <memory>

#include "base/ascii.h"

namespace qdt::quic {
namespace {

constexpr std::time_t kDay = 24 * 60 * 60;
constexpr std::time_t kValidity = 3650 * kDay;

struct Deleter {
  void operator()(gnutls_x509_crt_int* certificate) const { gnutls_x509_crt_deinit(certificate); }
  void operator()(gnutls_x509_privkey_int* key) const { gnutls_x509_privkey_deinit(key); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, Deleter>;
using Key = std::unique_ptr<gnutls_x509_privkey_int, Deleter>;

// Runs GnuTLS calls one after the other until one fails.
class Steps {
 public:
  template <typename Call>
  Steps& then(Call&& call) {
    if (status_ >= 0) status_ = call();
    return *this;
  }
  int status() const { return status_; }

 private:
  int status_ = 0;
};

template <typename Export>
std::string pem(Export&& export_to) {
  gnutls_datum_t text{};
  if (export_to(&text) < 0) return {};
  std::string copy(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  return copy;
}

int add_names(gnutls_x509_crt_t certificate, std::span<const std::string> names,
              std::span<const IpAddress> addresses) {
  Steps steps;
  for (const std::string& name : names) {
    steps.then([&] {
      return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name.data(),
                                                  static_cast<unsigned>(name.size()),
                                                  GNUTLS_FSAN_APPEND);
    });
  }
  for (const IpAddress& address : addresses) {
    steps.then([&] {
      const Bytes bytes = address.bytes();
      return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes.data(),
                                                  static_cast<unsigned>(bytes.size()),
                                                  GNUTLS_FSAN_APPEND);
    });
  }
  return steps.status();
}

int fill_in(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, std::time_t now) {
  std::array<unsigned char, 16> serial;
  const std::string_view common_name = "localhost";
  return Steps()
      .then([&] { return gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()); })
      .then([&] {
        serial[0] &= 0x7f;  // a serial number is positive (RFC 5280 section 4.1.2.2)
        return gnutls_x509_crt_set_serial(certificate, serial.data(), serial.size());
      })
      .then([&] { return gnutls_x509_crt_set_version(certificate, 3); })
      .then([&] { return gnutls_x509_crt_set_activation_time(certificate, now - kDay); })
      .then([&] { return gnutls_x509_crt_set_expiration_time(certificate, now + kValidity); })
      .then([&] {
        return gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                             common_name.data(),
                                             static_cast<unsigned>(common_name.size()));
      })
      .then([&] { return gnutls_x509_crt_set_basic_constraints(certificate, 0, -1); })
      .then(
          [&] { return gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE); })
      .then([&] {
        return gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
      })
      .then([&] { return gnutls_x509_crt_set_key(certificate, key); })
      .status();
}

}  // namespace

Result<PemCertificate> make_self_signed_certificate(std::span<const std::string> names,
                                                    std::span<const IpAddress> addresses) {
  gnutls_x509_privkey_t new_key = nullptr;
  gnutls_x509_crt_t new_certificate = nullptr;
  int status = gnutls_x509_privkey_init(&new_key);
  const Key key(new_key);
  if (status >= 0) status = gnutls_x509_crt_init(&new_certificate);
  const Certificate certificate(new_certificate);

  status = Steps()
               .then([&] { return status; })
               .then([&] {
                 const unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
                 return gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA, bits, 0);
               })
               .then([&] { return fill_in(certificate.get(), key.get(), std::time(nullptr)); })
               .then([&] { return add_names(certificate.get(), names, addresses); })
               .then([&] {
                 return gnutls_x509_crt_sign2(certificate.get(), certificate.get(), key.get(),
                                              GNUTLS_DIG_SHA256, 0);
               })
               .status();
  if (status < 0) return fail(std::string("make a certificate: ") + gnutls_strerror(status));

  return PemCertificate{.certificate = pem([&](gnutls_datum_t* out) {
                          return gnutls_x509_crt_export2(certificate.get(), GNUTLS_X509_FMT_PEM,
                                                         out);
                        }),
                        .key = pem([&](gnutls_datum_t* out) {
                          return gnutls_x509_privkey_export2_pkcs8(key.get(), GNUTLS_X509_FMT_PEM,
                                                                   nullptr, GNUTLS_PKCS_PLAIN, out);
                        })};
}

namespace {

// A server sends its chain with every handshake; a longer one is a bundle of authorities.
constexpr unsigned kMaxChain = 16;

gnutls_datum_t datum(std::string_view text) {
  // The C interface takes pointers to mutable data that it does not change.
  return {const_cast<unsigned char*>(as_bytes(text).data()), static_cast<unsigned>(text.size())};
}

}  // namespace

Result<CertificateFacts> read_certificates(std::string_view pem) {
  std::array<gnutls_x509_crt_t, kMaxChain> chain{};
  unsigned count = chain.size();
  const gnutls_datum_t text = datum(pem);
  const int status = gnutls_x509_crt_list_import(chain.data(), &count, &text, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
  if (status == GNUTLS_E_SHORT_MEMORY_BUFFER) {
    return fail("it has more than " + std::to_string(kMaxChain) +
                " certificates: a chain, leaf first, was expected");
  }
  if (status < 0)
    return fail(std::string("it has no certificate in PEM form: ") + gnutls_strerror(status));
  count = static_cast<unsigned>(status);

  CertificateFacts facts;
  facts.validity = {.not_before = std::numeric_limits<std::int64_t>::min(),
                    .not_after = std::numeric_limits<std::int64_t>::max()};
  for (const gnutls_x509_crt_t raw : std::span(chain).first(count)) {
    const Certificate certificate(raw);
    const std::int64_t begin = gnutls_x509_crt_get_activation_time(raw);
    const std::int64_t end = gnutls_x509_crt_get_expiration_time(raw);
    facts.validity.not_before = std::max(facts.validity.not_before, begin);
    facts.validity.not_after = std::min(facts.validity.not_after, end);
    if (raw != chain[0]) continue;
    facts.is_self_signed = gnutls_x509_crt_check_issuer(raw, raw) != 0;
    std::array<char, 65> name;
    std::size_t bytes = name.size();
    const bool has_name = gnutls_x509_crt_get_dn_by_oid(raw, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                                        name.data(), &bytes) >= 0;
    if (has_name) facts.common_name.assign(name.data(), bytes);
  }
  return facts;
}

Result<void> check_private_key(std::string_view pem) {
  gnutls_x509_privkey_t raw = nullptr;
  if (gnutls_x509_privkey_init(&raw) < 0) return fail("no memory");
  const Key key(raw);
  const gnutls_datum_t text = datum(pem);
  const int status = gnutls_x509_privkey_import2(raw, &text, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (status == GNUTLS_E_DECRYPTION_FAILED || pem.contains("ENCRYPTED")) {
    return fail("it is encrypted: store the key without a passphrase");
  }
  if (status < 0)
    return fail(std::string("it has no private key in PEM form: ") + gnutls_strerror(status));
  return {};
}

std::string time_text(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss of_day(at - day);
  const auto two = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return std::to_string(int{date.year()}) + "-" + two(unsigned{date.month()}) + "-" +
         two(unsigned{date.day()}) + " " + two(of_day.hours().count()) + ":" +
         two(of_day.minutes().count()) + ":" + two(of_day.seconds().count()) + " UTC";
}

std::string fingerprint_text(std::span<const std::uint8_t> fingerprint) {
  std::string text = "sha256:";
  append_hex(text, fingerprint);
  return text;
}

}  // namespace qdt::quic
