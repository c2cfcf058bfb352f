#include "server/certificate_file.h"

#include "os/file.h"
#include "quic/certificate.h"

namespace qdt::server {
namespace {

constexpr const char* kExpected = "; expected a PEM file that this process may read";

}  // namespace

Result<quic::TlsServerContext> load_certificate(const std::string& certificate_path,
                                                const std::string& key_path) {
  const auto certificate = os::read_file(certificate_path, os::kMaxTextFileBytes);
  if (!certificate) return fail("tls_cert: " + certificate.error().message + kExpected);
  const auto key = os::read_file(key_path, os::kMaxTextFileBytes);
  if (!key) return fail("tls_key: " + key.error().message + kExpected);
  if (const auto facts = quic::read_certificates(*certificate); !facts) {
    return fail("tls_cert: " + certificate_path + ": " + facts.error().message);
  }
  if (const auto ok = quic::check_private_key(*key); !ok) {
    return fail("tls_key: " + key_path + ": " + ok.error().message);
  }
  if (const auto ok = os::check_secret(key_path, "the private key"); !ok) {
    return fail("tls_key: " + ok.error().message);
  }
  auto tls = quic::TlsServerContext::from_pem(*certificate, *key);
  if (!tls) {
    return fail("tls_cert " + certificate_path + " and tls_key " + key_path + ": " +
                tls.error().message + "; name the key that the certificate was made for");
  }
  return tls;
}

}  // namespace qdt::server
