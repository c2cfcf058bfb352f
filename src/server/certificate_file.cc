#include "server/certificate_file.h"

#include <utility>

#include "os/file.h"
#include "quic/certificate.h"

namespace qdt::server {
namespace {

constexpr const char* kExpected = "; expected a PEM file that this process may read";

}  // namespace

Result<CertificateFiles> read_certificate_files(const std::string& certificate_path,
                                                const std::string& key_path,
                                                const std::string& user) {
  auto certificate = os::read_file(certificate_path, os::kMaxTextFileBytes);
  if (!certificate) return fail("tls_cert: " + certificate.error().message + kExpected);
  auto key = os::read_file(key_path, os::kMaxTextFileBytes);
  if (!key) return fail("tls_key: " + key.error().message + kExpected);
  CertificateFiles files{certificate_path, key_path, std::move(*certificate), std::move(*key)};
  if (const auto facts = quic::read_certificates(files.certificate); !facts) {
    return fail("tls_cert: " + certificate_path + ": " + facts.error().message);
  }
  if (const auto ok = quic::check_private_key(files.key); !ok) {
    return fail("tls_key: " + key_path + ": " + ok.error().message);
  }
  if (const auto ok = os::check_secret(key_path, "the private key", user); !ok) {
    return fail("tls_key: " + ok.error().message);
  }
  return files;
}

Result<quic::TlsServerContext> use_certificate(const CertificateFiles& files) {
  auto tls = quic::TlsServerContext::from_pem(files.certificate, files.key);
  if (!tls) {
    return fail("tls_cert " + files.certificate_path + " and tls_key " + files.key_path + ": " +
                tls.error().message + "; name the key that the certificate was made for");
  }
  return tls;
}

Result<quic::TlsServerContext> load_certificate(const std::string& certificate_path,
                                                const std::string& key_path,
                                                const std::string& user) {
  const auto files = read_certificate_files(certificate_path, key_path, user);
  if (!files) return fail(files);
  return use_certificate(*files);
}

}  // namespace qdt::server
