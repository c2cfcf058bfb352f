#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// GnuTLS's own names for the types behind its handles.
struct gnutls_certificate_credentials_st;
struct gnutls_session_int;

namespace qdt::quic {

using Fingerprint = std::array<std::uint8_t, 32>;

/// Frees GnuTLS objects.
struct TlsDeleter {
  void operator()(gnutls_certificate_credentials_st* credentials) const;
  void operator()(gnutls_session_int* session) const;
};
using TlsCredentials = std::unique_ptr<gnutls_certificate_credentials_st, TlsDeleter>;

/// A server's certificate and key, shared by all its connections. Read-only once made: any thread.
class TlsServerContext {
 public:
  /// PEM files; the certificate file may hold a chain, leaf first.
  static Result<TlsServerContext> from_files(const std::string& certificate_path,
                                             const std::string& key_path);
  static Result<TlsServerContext> from_pem(std::string_view certificate, std::string_view key);

  gnutls_certificate_credentials_st* credentials() const { return credentials_.get(); }
  /// SHA-256 of the leaf certificate (DER): what a client may pin.
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  TlsServerContext(TlsCredentials credentials, const Fingerprint& fingerprint)
      : credentials_(std::move(credentials)), fingerprint_(fingerprint) {}

  TlsCredentials credentials_;
  Fingerprint fingerprint_;
};

/// Whom a client trusts.
class TlsClientContext {
 public:
  /// The system's certificate authorities, and the name asked for.
  static Result<TlsClientContext> with_system_trust();
  /// One certificate, by the SHA-256 of its DER form, whatever its name and issuer.
  static Result<TlsClientContext> with_fingerprint(const Fingerprint& fingerprint);
  /// Anyone. For tests, and for people who were warned.
  static Result<TlsClientContext> without_verification();

  gnutls_certificate_credentials_st* credentials() const { return credentials_.get(); }
  enum class Trust { kSystem, kFingerprint, kNone };
  Trust trust() const { return trust_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  TlsClientContext(TlsCredentials credentials, Trust trust, const Fingerprint& fingerprint = {})
      : credentials_(std::move(credentials)), trust_(trust), fingerprint_(fingerprint) {}

  TlsCredentials credentials_;
  Trust trust_;
  Fingerprint fingerprint_;
};

/// What a TLS alert (RFC 8446 section 6) says, in words.
std::string tls_alert_text(std::uint8_t alert);

/// The TLS 1.3 state of one connection, configured for QUIC and ALPN `h3`.
class TlsSession {
 public:
  static TlsSession server(const TlsServerContext& context);
  /// `server_name` is what the certificate has to be for; a name (not an address) goes into SNI.
  static TlsSession client(const TlsClientContext& context, const std::string& server_name);

  gnutls_session_int* handle() const { return session_.get(); }
  /// Gives the engine's TLS glue its way back to the connection; `reference` outlives the session.
  void bind(void* reference);
  /// Why this side does not trust the peer's certificate, in words; empty when it does, or has
  /// not been shown one.
  std::string distrust() const;

 private:
  explicit TlsSession(gnutls_session_int* session) : session_(session) {}

  std::unique_ptr<gnutls_session_int, TlsDeleter> session_;
  // Owned here because GnuTLS keeps the pointers; on the heap so that a move leaves them valid.
  std::unique_ptr<std::string> server_name_;
  std::unique_ptr<Fingerprint> pinned_;
};

}  // namespace qdt::quic
