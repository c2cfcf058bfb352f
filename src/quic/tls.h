#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "quic/certificate.h"
#include "wire/exporter.h"

// GnuTLS's own names for the types behind its handles.
struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

namespace qdt::quic {

using Fingerprint = std::array<std::uint8_t, 32>;

/// Frees GnuTLS objects.
struct TlsDeleter {
  void operator()(gnutls_certificate_credentials_st* credentials) const;
  void operator()(gnutls_priority_st* priorities) const;
  void operator()(gnutls_session_int* session) const;
};
using TlsCredentials = std::unique_ptr<gnutls_certificate_credentials_st, TlsDeleter>;
using TlsPriorities = std::unique_ptr<gnutls_priority_st, TlsDeleter>;

/// The ciphers and groups that we take, parsed: for any number of sessions.
TlsPriorities tls_priorities();

/// From which a server derives what has to outlive its restart: the tokens of stateless resets and
/// of Retry, and the key of TLS session tickets.
using ServerSecret = std::array<std::uint8_t, 32>;

/// A server's certificate and key, shared by all its connections, which may outlive it. Read-only
/// once made: any thread.
class TlsServerContext {
 public:
  /// Takes the content of PEM files; `certificate` may be a chain, leaf first.
  static Result<TlsServerContext> from_pem(std::string_view certificate, std::string_view key);

  gnutls_certificate_credentials_st* credentials() const { return credentials_.get(); }
  gnutls_priority_st* priorities() const { return priorities_.get(); }
  /// SHA-256 of the leaf certificate (DER): what a client may pin.
  const Fingerprint& fingerprint() const { return fingerprint_; }

  const CertificateFacts& certificate() const { return certificate_; }

  /// Lets clients resume their TLS sessions (RFC 8446 section 2.2), whose handshakes need no
  /// certificate, as long as `secret` and the certificate are the same, this process or the next.
  /// Never with early data. Before the first connection.
  void offer_resumption(const ServerSecret& secret);
  /// Empty: no tickets are given out.
  Bytes ticket_key() const { return ticket_key_; }

 private:
  friend class TlsSession;
  TlsServerContext(TlsCredentials credentials, const Fingerprint& fingerprint,
                   const CertificateFacts& certificate)
      : credentials_(std::move(credentials)),
        fingerprint_(fingerprint),
        certificate_(certificate),
        priorities_(tls_priorities()) {}

  std::shared_ptr<gnutls_certificate_credentials_st> credentials_;
  Fingerprint fingerprint_;
  CertificateFacts certificate_;
  TlsPriorities priorities_;  // parsed once for all connections
  std::vector<std::uint8_t> ticket_key_;
};

/// The latest TLS session that a server's ticket lets a client resume; in memory only.
struct ResumableSession {
  std::string server_name;
  std::vector<std::uint8_t> bytes;  ///< GnuTLS's form; empty: none
};

/// A client's trust, and the session that it may resume: one that this trust has verified,
/// since a ticket comes after the certificate. Its connections belong to one thread.
class TlsClientContext {
 public:
  /// The system's certificate authorities, and the name asked for.
  static Result<TlsClientContext> with_system_trust();
  /// One certificate, by the SHA-256 of its DER form, whatever its name and issuer.
  static Result<TlsClientContext> with_fingerprint(const Fingerprint& fingerprint);
  /// Anyone. For tests, and for people who were warned.
  static Result<TlsClientContext> without_verification();

  gnutls_certificate_credentials_st* credentials() const { return credentials_.get(); }
  gnutls_priority_st* priorities() const { return priorities_.get(); }
  enum class Trust { kSystem, kFingerprint, kNone };
  Trust trust() const { return trust_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  ResumableSession& resumable() const { return *resumable_; }

 private:
  TlsClientContext(TlsCredentials credentials, Trust trust, const Fingerprint& fingerprint = {})
      : credentials_(std::move(credentials)), trust_(trust), fingerprint_(fingerprint) {}

  TlsCredentials credentials_;
  TlsPriorities priorities_ = tls_priorities();
  Trust trust_;
  Fingerprint fingerprint_;
  std::unique_ptr<ResumableSession> resumable_ = std::make_unique<ResumableSession>();
};

/// A certificate's dates by this host's clock.
enum class CertificateDates {
  kRight,
  kNotYet,  ///< it will be valid, or the clock is behind
  kOver,    ///< it was valid, or the clock is ahead
};

/// A TLS alert (RFC 8446 section 6) in words.
std::string tls_alert_text(std::uint8_t alert);

/// The TLS 1.3 state of one connection, configured for QUIC and ALPN `h3`.
class TlsSession {
 public:
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;
  TlsSession& operator=(TlsSession&&) noexcept;

  static TlsSession server(const TlsServerContext& context);
  /// `server_name` is what the certificate has to be for; a name of letters, digits, hyphens
  /// and dots goes into SNI; an address or a name with an underscore does not.
  static TlsSession client(const TlsClientContext& context, const std::string& server_name);

  gnutls_session_int* handle() const { return session_.get(); }
  /// Gives the engine's TLS glue its way back to the connection; `reference` outlives the session.
  void bind(void* reference);
  /// Why this side does not trust the peer's certificate, in words; empty when it does, or has
  /// not been shown one.
  std::string distrust() const;
  /// The dates of a certificate that is not trusted, where nothing else is wrong with it.
  CertificateDates dates() const;

  /// Gives the exporter out, once. Once the handshake is complete; outlives the session.
  wire::Exporter take_exporter();

  /// A server's, once the handshake is complete: gives the client a ticket, where they are offered.
  void send_ticket();
  /// Whether this session goes on with the secrets of an earlier one.
  bool is_resumed() const;
  /// A client's: the session that was to be resumed is not tried again.
  void forget_resumable();

 private:
  struct Notes;  // for GnuTLS's callbacks

  explicit TlsSession(gnutls_session_int* session);

  // A server's: they may be replaced in the context meanwhile. Before the session, which uses them.
  std::shared_ptr<gnutls_certificate_credentials_st> credentials_;
  std::unique_ptr<gnutls_session_int, TlsDeleter> session_;
  // On the heap, because GnuTLS keeps the pointer.
  std::unique_ptr<Notes> notes_;
  bool has_ticket_ = false;
};

}  // namespace qdt::quic
