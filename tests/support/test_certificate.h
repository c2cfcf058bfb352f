#pragma once

#include "quic/certificate.h"
#include "quic/tls.h"

namespace qdt::testing {

/// A server's certificate for `localhost`, made once for all tests of a program.
inline const quic::TlsServerContext& test_server_tls() {
  static const quic::TlsServerContext context = [] {
    const std::string names[] = {"localhost"};
    const auto pem = quic::make_self_signed_certificate(names, {});
    return std::move(*quic::TlsServerContext::from_pem(pem->certificate, pem->key));
  }();
  return context;
}

/// A client that trusts it.
inline const quic::TlsClientContext& test_client_tls() {
  static const quic::TlsClientContext context =
      std::move(*quic::TlsClientContext::with_fingerprint(test_server_tls().fingerprint()));
  return context;
}

}  // namespace qdt::testing
