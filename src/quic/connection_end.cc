// The end of a connection: for what reason, and what its peer is told.

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>

#include <string>
#include <utility>

#include "base/peer_text.h"
#include "quic/connection.h"
#include "quic/engine.h"
#include "quic/path.h"

namespace qdt::quic {
namespace {

// A peer that acknowledges late on purpose, or a host that slept, makes a probe timeout of minutes;
// what comes later than this gets a stateless reset, which does as well.
constexpr Duration kLongestFarewell = 30s;

// A server answers so in a handshake that it is too busy for, or whose Retry token it does not know
// any more (RFC 9000 sections 8.1.3 and 20.1). An end in HTTP/3's words comes as
// APPLICATION_ERROR before the handshake is complete (section 10.2.3).
bool is_of_a_busy_server(std::uint64_t error_code) {
  switch (error_code) {
    case NGTCP2_CONNECTION_REFUSED:
    case NGTCP2_INVALID_TOKEN:
    case NGTCP2_APPLICATION_ERROR: return true;
    default: return false;
  }
}

}  // namespace

void Connection::close(std::string_view text, Timestamp now, std::uint64_t error_code) {
  note_change();
  if (state_ != State::kOpen) return;
  close_frame_ = {.is_application = true, .code = error_code, .text = std::string(text)};
  end(State::kClosing, {CloseReason::Kind::kLocal, std::string(text)}, now);
}

void Connection::turn_away(Timestamp now) {
  note_change();
  if (is_handshake_complete()) return close("", now);  // in a web server's words
  if (state_ != State::kOpen) return;
  close_frame_ = {.is_application = false, .code = NGTCP2_CONNECTION_REFUSED, .text = ""};
  end(State::kClosing, {CloseReason::Kind::kLocal, ""}, now);
}

void Connection::fail(int engine_error, Timestamp now) {
  using Kind = CloseReason::Kind;
  if (memory_->account.was_exceeded()) {
    excess_ = Excess::kMemory;
    end(State::kDraining, {Kind::kProtocolError, "it holds too much memory"}, now);
    return;
  }
  switch (engine_error) {
    case NGTCP2_ERR_DRAINING: end(State::kDraining, reason_from_peer(), now); return;
    case NGTCP2_ERR_IDLE_CLOSE:
      end(State::kDraining, {Kind::kIdle, "the peer fell silent"}, now);
      late_until_ = now;
      return;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      end(State::kDraining, {Kind::kNoAnswer, "no answer in time"}, now);
      late_until_ = now;
      return;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      end(State::kDraining, {Kind::kOtherVersion, "the server speaks another version of QUIC"},
          now);
      late_until_ = now;
      return;
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN:
      context_.drops.count(Drop::kNotQuic);
      end(State::kDraining, {Kind::kProtocolError, "not a connection attempt"}, now);
      late_until_ = now;
      return;
    case NGTCP2_ERR_CRYPTO: {
      const std::uint8_t alert = ngtcp2_conn_get_tls_alert(engine_.get());
      const std::string distrust = tls_->distrust();
      tls_->forget_resumable();
      close_frame_ = {
          .is_application = false, .code = NGTCP2_CRYPTO_ERROR | std::uint64_t{alert}, .text = ""};
      end(State::kClosing,
          distrust.empty()
              ? CloseReason{Kind::kProtocolError, "TLS: " + tls_alert_text(alert)}
              : CloseReason{.kind = Kind::kUntrusted, .text = distrust, .dates = tls_->dates()},
          now);
      return;
    }
    default: break;
  }

  if (http_error_ != 0) {
    close_frame_ = {.is_application = true,
                    .code = nghttp3_err_infer_quic_app_error_code(http_error_),
                    .text = ""};
    end(State::kClosing,
        {Kind::kProtocolError, std::string("HTTP/3: ") + nghttp3_strerror(http_error_)}, now);
    return;
  }
  close_frame_ = {.is_application = false,
                  .code = ngtcp2_err_infer_quic_transport_error_code(engine_error),
                  .text = ""};
  end(State::kClosing,
      {Kind::kProtocolError, std::string("QUIC: ") + ngtcp2_strerror(engine_error)}, now);
}

CloseReason Connection::reason_from_peer() const {
  using Kind = CloseReason::Kind;
  if (was_reset_) return {Kind::kReset, "the peer does not know this connection any more"};
  const ngtcp2_ccerr* error = ngtcp2_conn_get_ccerr(engine_.get());
  // The handshake may be complete here, and not there.
  const bool is_turned_away = role_ == Role::kClient &&
                              error->type == NGTCP2_CCERR_TYPE_TRANSPORT &&
                              is_of_a_busy_server(error->error_code);
  if (is_turned_away) return {Kind::kTurnedAway, "the server takes no more connections now"};
  if (error->reasonlen > 0) {
    return {Kind::kPeer, quote_peer(as_text({error->reason, error->reasonlen}))};
  }
  const bool is_tls = error->type == NGTCP2_CCERR_TYPE_TRANSPORT &&
                      error->error_code >= NGTCP2_CRYPTO_ERROR &&
                      error->error_code <= (NGTCP2_CRYPTO_ERROR | 0xff);
  if (is_tls) {
    return {Kind::kPeer,
            "TLS: " + tls_alert_text(static_cast<std::uint8_t>(error->error_code & 0xff))};
  }
  if (error->error_code == 0 || error->error_code == NGHTTP3_H3_NO_ERROR) {
    return {Kind::kPeer, "the peer closed the connection", /*is_orderly=*/true};
  }
  return {Kind::kPeer,
          "the peer closed the connection with error " + std::to_string(error->error_code)};
}

void Connection::end(State state, const CloseReason& reason, Timestamp now) {
  if (state_ != State::kOpen) return;
  state_ = state;
  must_send_close_ = state == State::kClosing;
  sink_ = {};
  // Long enough for stray packets to be recognised (RFC 9000 section 10.2). Nothing is kept
  // of a stranger: it hears of its end once, and then gets a stateless reset.
  late_until_ = now;
  if (!is_stranger_) {
    const Duration pto(static_cast<std::int64_t>(ngtcp2_conn_get_pto(engine_.get())));
    late_until_ += std::min(3 * pto, kLongestFarewell);
  }
  context_.events.on_closed(*this, reason);
}

bool Connection::write_close(UdpSendQueue& out, Timestamp now) {
  if (!must_send_close_) return true;
  if (!out.has_room()) return false;
  must_send_close_ = false;
  const MutableBytes payload = out.next_payload();
  ngtcp2_ccerr error;
  ngtcp2_ccerr_default(&error);
  const Bytes text = as_bytes(close_frame_->text);
  const auto set = close_frame_->is_application ? ngtcp2_ccerr_set_application_error
                                                : ngtcp2_ccerr_set_transport_error;
  set(&error, close_frame_->code, text.data(), text.size());
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info packet_info{};
  const ngtcp2_ssize bytes =
      ngtcp2_conn_write_connection_close(engine_.get(), &path.path, &packet_info, payload.data(),
                                         payload.size(), &error, to_engine(now));
  if (bytes <= 0) return true;  // no keys to say it with: the peer will time out
  close_payload_.assign(payload.begin(), payload.begin() + bytes);
  path_ = from_engine(path.path);
  out.push(path_, Ecn::kNotEct, close_payload_.size());
  return true;
}

Farewells::Farewell Connection::take_farewell() {
  return {.ids = std::move(registration.ids),
          .path = path_,
          .payload = std::move(close_payload_),
          .until = late_until_};
}

}  // namespace qdt::quic
