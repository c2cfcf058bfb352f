#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::quic {

struct PemCertificate {
  std::string certificate;
  std::string key;
};

/// A new P-256 key and a self-signed certificate for it, valid for ten years from yesterday (so
/// that a client whose clock is behind takes it), for the given names and addresses. For a server's
/// first start and for tests; clients trust it by its fingerprint. Its subject is `CN=localhost`,
/// as that of web servers which nobody gave a certificate: anyone may read it.
Result<PemCertificate> make_self_signed_certificate(std::span<const std::string> names,
                                                    std::span<const IpAddress> addresses);

/// Times that a certificate chain is valid in, in seconds since the Unix epoch.
struct CertificateValidity {
  std::int64_t not_before = 0;  ///< the latest of the chain
  std::int64_t not_after = 0;   ///< the earliest of the chain
};

/// The first certificate of a PEM file, and the dates of all of them.
struct CertificateFacts {
  CertificateValidity validity;
  bool is_self_signed = false;
  std::string common_name;  ///< of its subject; at most 64 bytes (RFC 5280 appendix A.1), or empty
};
Result<CertificateFacts> read_certificates(std::string_view pem);

/// Whether a PEM file has a private key that can be used. The error is the reason alone.
Result<void> check_private_key(std::string_view pem);

/// `2026-11-28 21:59:38 UTC`
std::string time_text(std::int64_t unix_seconds);

/// `sha256:` and 64 hex digits, as tls_fingerprint takes it.
std::string fingerprint_text(std::span<const std::uint8_t> fingerprint);

}  // namespace qdt::quic
