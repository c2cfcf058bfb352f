#include "quic/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <optional>
#include <span>

#include "base/ip_address.h"
#include "quic/certificate.h"
#include "quic/key_log.h"
#include "quic/packet_protection.h"

namespace qdt::quic {
namespace {

// QUIC needs TLS 1.3 (RFC 9001 section 4.2). AES first: with AES instructions it is the fastest.
constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:"
    "%DISABLE_TLS13_COMPAT_MODE";
constexpr std::string_view kAlpn = "h3";
// A client sends us nothing longer than a ClientHello.
constexpr std::size_t kMaxHandshakeMessage = 16 * 1024;

// For calls that can only fail for want of memory, or by a fault of ours.
void require(int status) {
  if (status < 0) std::abort();
}

gnutls_datum_t datum(std::string_view text) {
  // The C interface takes pointers to mutable data that it does not change.
  return {const_cast<unsigned char*>(as_bytes(text).data()), static_cast<unsigned>(text.size())};
}

std::unexpected<Error> tls_error(const std::string& what, int status) {
  return fail(what + ": " + gnutls_strerror(status));
}

TlsCredentials new_credentials() {
  gnutls_certificate_credentials_t credentials = nullptr;
  require(gnutls_certificate_allocate_credentials(&credentials));
  return TlsCredentials(credentials);
}

Fingerprint sha256(const gnutls_datum_t& der) {
  Fingerprint digest;
  require(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest.data()));
  return digest;
}

Result<Fingerprint> leaf_fingerprint(gnutls_certificate_credentials_t credentials) {
  gnutls_datum_t der{};
  if (const int status = gnutls_certificate_get_crt_raw(credentials, 0, 0, &der); status < 0) {
    return tls_error("read the certificate back", status);
  }
  return sha256(der);
}

void apply_common(gnutls_session_t session, gnutls_certificate_credentials_t credentials,
                  gnutls_priority_t priorities) {
  require(gnutls_priority_set(session, priorities));
  require(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials));
  const gnutls_datum_t alpn = datum(kAlpn);
  require(gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY));
}

// A peer that offers no ALPN at all slips past GNUTLS_ALPN_MANDATORY; RFC 9001 section 8.1 wants
// the handshake to fail then.
int require_alpn(gnutls_session_t session, unsigned, unsigned, unsigned, const gnutls_datum_t*) {
  gnutls_datum_t selected{};
  const int status = gnutls_alpn_get_selected_protocol(session, &selected);
  return status < 0 ? GNUTLS_E_NO_APPLICATION_PROTOCOL : 0;
}

// A name with an underscore is no host name (RFC 6066 section 3), and servers end the handshake for
// it (GnuTLS: illegal_parameter). It stands in the certificate and in :authority alone.
bool belongs_into_sni(const std::string& server_name) {
  return !IpAddress::parse(server_name) && server_name.find('_') == std::string::npos;
}

// HKDF-SHA256 (RFC 5869). The certificate is the salt: with another one, a key that is feared to be
// stolen has been replaced, and whoever held it shall not go on with tickets.
std::vector<std::uint8_t> derive_ticket_key(const ServerSecret& secret,
                                            const Fingerprint& certificate) {
  constexpr std::size_t kTicketKeyBytes = 64;  // what GnuTLS asks for
  const auto bytes = [](std::span<const std::uint8_t> from) {
    return gnutls_datum_t{const_cast<unsigned char*>(from.data()),
                          static_cast<unsigned>(from.size())};
  };
  const gnutls_datum_t key = bytes(secret);
  const gnutls_datum_t salt = bytes(certificate);
  std::array<std::uint8_t, 32> extracted;
  require(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &key, &salt, extracted.data()));
  const gnutls_datum_t extracted_key = bytes(extracted);
  const gnutls_datum_t purpose = datum("qdt tls tickets");
  std::vector<std::uint8_t> ticket_key(kTicketKeyBytes);
  require(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &extracted_key, &purpose, ticket_key.data(),
                             ticket_key.size()));
  return ticket_key;
}

// The dates of a chain that is not valid yet, or not any more: since when, until when, and by which
// clock.
std::string explain_dates(std::span<const gnutls_datum_t> chain, CertificateDates dates) {
  if (dates == CertificateDates::kRight) return {};
  std::time_t begin = 0;
  std::time_t end = std::numeric_limits<std::time_t>::max();
  for (const gnutls_datum_t& der : chain) {
    gnutls_x509_crt_t certificate = nullptr;
    require(gnutls_x509_crt_init(&certificate));
    if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) >= 0) {
      begin = std::max(begin, gnutls_x509_crt_get_activation_time(certificate));
      end = std::min(end, gnutls_x509_crt_get_expiration_time(certificate));
    }
    gnutls_x509_crt_deinit(certificate);
  }
  const std::string now =
      "; this host's clock says " + time_text(std::time(nullptr)) + ": is the clock right?";
  if (dates == CertificateDates::kNotYet) return " It is valid from " + time_text(begin) + now;
  return " It was valid until " + time_text(end) + now;
}

}  // namespace

// The session's own pointer belongs to ngtcp2; the one for a session store is free.
struct TlsSession::Notes {
  wire::Exporter exporter;
  // A client's:
  std::string server_name;
  std::optional<Fingerprint> pinned;
  ResumableSession* resumable = nullptr;

  static Notes& of(gnutls_session_t session) {
    return *static_cast<Notes*>(gnutls_db_get_ptr(session));
  }

  // What GnuTLS exports ends with its session, which a server's connection does not keep. The key
  // log is the only place where GnuTLS shows the secret behind it.
  static int keep_exporter(gnutls_session_t session, const char* label,
                           const gnutls_datum_t* secret) {
    if (std::string_view(label) == "EXPORTER_SECRET") {
      of(session).exporter = wire::Exporter({secret->data, secret->size});
    }
    gnutls_datum_t client_random{};
    gnutls_datum_t server_random{};
    gnutls_session_get_random(session, &client_random, &server_random);
    write_key_log(label, {client_random.data, client_random.size}, {secret->data, secret->size});
    return 0;
  }

  static int verify_fingerprint(gnutls_session_t session) {
    unsigned count = 0;
    const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
    if (chain == nullptr || count == 0) return GNUTLS_E_NO_CERTIFICATE_FOUND;
    return sha256(chain[0]) == *of(session).pinned ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
  }

  // Comes behind a complete handshake only, so that what is kept was verified.
  static int keep_ticket(gnutls_session_t session, unsigned, unsigned, unsigned,
                         const gnutls_datum_t*) {
    gnutls_datum_t bytes{};
    if (gnutls_session_get_data2(session, &bytes) < 0)
      return 0;  // the next handshake is a full one
    const Notes& notes = of(session);
    *notes.resumable = {.server_name = notes.server_name,
                        .bytes = {bytes.data, bytes.data + bytes.size}};
    gnutls_free(bytes.data);
    return 0;
  }
};

TlsSession::TlsSession(gnutls_session_int* session)
    : session_(session), notes_(std::make_unique<Notes>()) {
  gnutls_db_set_ptr(session, notes_.get());
  gnutls_session_set_keylog_function(session, Notes::keep_exporter);
}
TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;
TlsSession& TlsSession::operator=(TlsSession&&) noexcept = default;

void TlsDeleter::operator()(gnutls_certificate_credentials_st* credentials) const {
  gnutls_certificate_free_credentials(credentials);
}

void TlsDeleter::operator()(gnutls_priority_st* priorities) const {
  gnutls_priority_deinit(priorities);  // sessions that use it count
}

TlsPriorities tls_priorities() {
  gnutls_priority_t priorities = nullptr;
  require(gnutls_priority_init(&priorities, kPriority, nullptr));
  return TlsPriorities(priorities);
}

void TlsDeleter::operator()(gnutls_session_int* session) const {
  gnutls_deinit(session);
}

Result<TlsServerContext> TlsServerContext::from_pem(std::string_view certificate,
                                                    std::string_view key) {
  const auto facts = read_certificates(certificate);
  if (!facts) return fail(facts);
  TlsCredentials credentials = new_credentials();
  const gnutls_datum_t certificate_datum = datum(certificate);
  const gnutls_datum_t key_datum = datum(key);
  const int status = gnutls_certificate_set_x509_key_mem(credentials.get(), &certificate_datum,
                                                         &key_datum, GNUTLS_X509_FMT_PEM);
  if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return fail("the certificate and the key do not belong together");
  }
  if (status < 0) return tls_error("read a certificate and its key", status);

  const auto fingerprint = leaf_fingerprint(credentials.get());
  if (!fingerprint) return fail(fingerprint);
  return TlsServerContext(std::move(credentials), *fingerprint, *facts);
}

void TlsServerContext::offer_resumption(const ServerSecret& secret) {
  ticket_key_ = derive_ticket_key(secret, fingerprint_);
}

Result<TlsClientContext> TlsClientContext::with_system_trust() {
  TlsCredentials credentials = new_credentials();
  const int count = gnutls_certificate_set_x509_system_trust(credentials.get());
  if (count < 0) return tls_error("read the system's certificate authorities", count);
  if (count == 0) {
    return fail(
        "this system trusts no certificate authority: install ca-certificates, or ask the "
        "operator of the server for its tls_fingerprint");
  }
  return TlsClientContext(std::move(credentials), Trust::kSystem);
}

Result<TlsClientContext> TlsClientContext::with_fingerprint(const Fingerprint& fingerprint) {
  return TlsClientContext(new_credentials(), Trust::kFingerprint, fingerprint);
}

Result<TlsClientContext> TlsClientContext::without_verification() {
  return TlsClientContext(new_credentials(), Trust::kNone);
}

std::string tls_alert_text(std::uint8_t alert) {
  const char* name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
  return name != nullptr ? name : "TLS alert " + std::to_string(alert);
}

TlsSession TlsSession::server(const TlsServerContext& context) {
  gnutls_session_t session = nullptr;
  require(gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET));
  TlsSession tls(session);
  tls.credentials_ = context.credentials_;
  apply_common(session, context.credentials(), context.priorities());
  gnutls_handshake_set_max_packet_length(session, kMaxHandshakeMessage);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST,
                                     require_alpn);
  if (const Bytes key = context.ticket_key(); !key.empty()) {
    const gnutls_datum_t ticket_key = datum(as_text(key));
    require(gnutls_session_ticket_enable_server(session, &ticket_key));
    tls.has_ticket_ = true;
  }
  require(ngtcp2_crypto_gnutls_configure_server_session(session));
  take_packet_secrets(session);
  return tls;
}

TlsSession TlsSession::client(const TlsClientContext& context, const std::string& server_name) {
  gnutls_session_t session = nullptr;
  require(gnutls_init(&session, GNUTLS_CLIENT));
  TlsSession tls(session);
  apply_common(session, context.credentials(), context.priorities());
  require(ngtcp2_crypto_gnutls_configure_client_session(session));
  take_packet_secrets(session);

  tls.notes_->server_name = server_name;
  tls.notes_->resumable = &context.resumable();
  if (belongs_into_sni(server_name)) {
    require(
        gnutls_server_name_set(session, GNUTLS_NAME_DNS, server_name.data(), server_name.size()));
  }
  switch (context.trust()) {
    case TlsClientContext::Trust::kSystem:
      gnutls_session_set_verify_cert(session, tls.notes_->server_name.c_str(), 0);
      break;
    case TlsClientContext::Trust::kFingerprint:
      tls.notes_->pinned = context.fingerprint();
      gnutls_session_set_verify_function(session, Notes::verify_fingerprint);
      break;
    case TlsClientContext::Trust::kNone: break;
  }

  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST,
                                     Notes::keep_ticket);
  const ResumableSession& resumable = context.resumable();
  if (!resumable.bytes.empty() && resumable.server_name == server_name) {
    tls.has_ticket_ = gnutls_session_set_data(session, resumable.bytes.data(),
                                              resumable.bytes.size()) == GNUTLS_E_SUCCESS;
  }
  return tls;
}

wire::Exporter TlsSession::take_exporter() {
  if (!notes_->exporter.has_secret()) std::abort();  // before the handshake's end
  return std::move(notes_->exporter);
}

void TlsSession::send_ticket() {
  // For want of memory at worst; then the client's next handshake is a full one.
  if (has_ticket_) gnutls_session_ticket_send(session_.get(), 1, 0);
}

bool TlsSession::is_resumed() const {
  return gnutls_session_is_resumed(session_.get()) != 0;
}

void TlsSession::forget_resumable() {
  if (notes_->resumable != nullptr && has_ticket_) *notes_->resumable = {};
}

void TlsSession::bind(void* reference) {
  gnutls_session_set_ptr(session_.get(), reference);
}

CertificateDates TlsSession::dates() const {
  if (notes_->pinned) return CertificateDates::kRight;
  unsigned status = gnutls_session_get_verify_cert_status(session_.get());
  status &= ~static_cast<unsigned>(GNUTLS_CERT_INVALID);
  if (status == GNUTLS_CERT_NOT_ACTIVATED) return CertificateDates::kNotYet;
  if (status == GNUTLS_CERT_EXPIRED) return CertificateDates::kOver;
  return CertificateDates::kRight;
}

std::string TlsSession::distrust() const {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session_.get(), &count);
  if (chain == nullptr || count == 0) return {};
  if (notes_->pinned) {
    return sha256(chain[0]) == *notes_->pinned ? ""
                                               : "its certificate does not have the fingerprint in "
                                                 "tls_fingerprint: the certificate "
                                                 "was renewed, or somebody is in between; ask the "
                                                 "operator of the server, and change "
                                                 "nothing before";
  }

  const unsigned status = gnutls_session_get_verify_cert_status(session_.get());
  if (status == 0) return {};
  gnutls_datum_t text{};
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0) {
    return "the server's certificate is not trusted";
  }
  std::string reason(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  while (!reason.empty() && (reason.back() == ' ' || reason.back() == '\0')) reason.pop_back();
  if (dates() != CertificateDates::kRight) {
    return reason + explain_dates(std::span(chain, count), dates());
  }
  return reason +
         " If the server has a certificate of its own, ask its operator for the tls_fingerprint; a "
         "fingerprint that was seen on the way proves nothing";
}

}  // namespace qdt::quic
