#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::quic {

struct PemCertificate {
  std::string certificate;
  std::string key;
};

/// A new P-256 key and a self-signed certificate for it, valid for ten years from yesterday (so
/// that a client whose clock is behind takes it), for the given names and addresses. For a server's
/// first start and for tests; clients trust it by its fingerprint.
Result<PemCertificate> make_self_signed_certificate(std::span<const std::string> names,
                                                    std::span<const IpAddress> addresses);

/// `sha256:` and 64 hex digits, as tls_fingerprint takes it.
std::string fingerprint_text(std::span<const std::uint8_t> fingerprint);

}  // namespace qdt::quic
