#include "quic/connection.h"

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "quic/engine.h"
#include "quic/path.h"

namespace qdt::quic {
namespace {

constexpr int kMaxPacketsBeforeDatagram = 8;
// An ordinary one holds 72 KiB at its handshake's height, TLS among it, and 41 KiB from then on.
// Data out of order takes 17 KiB for each stream: this is enough for four of them.
constexpr std::size_t kMaxStrangerBytes = 112 * 1024;
// GnuTLS does not say what it holds during a handshake: measured.
constexpr std::size_t kTlsBytes = 24 * 1024;
// An answer has no more under way, so that a page of any size fits that memory: the engine takes
// 256 bytes to note a packet. 64 KiB for each round trip load a page quickly on any path.
constexpr std::uint64_t kMaxStrangerBytesInFlight = 64 * 1024;

}  // namespace

void Connection::EngineDeleter::operator()(ngtcp2_conn* engine) const {
  ngtcp2_conn_del(engine);
}

Connection::Connection(const ConnectionContext& context, Role role)
    : context_(context),
      role_(role),
      memory_(role == Role::kServer
                  ? std::make_unique<Memory>(context.strangers_bytes, kMaxStrangerBytes)
                  : std::make_unique<Memory>()),
      reference_(std::make_unique<ConnectionReference>(
          ConnectionReference{{.get_conn = Engine::get_conn, .user_data = this}})) {
  registration.connection = this;
}

Connection::~Connection() {
  if (role_ == Role::kServer && tls_) memory_->account.discharge(kTlsBytes);
}

std::unique_ptr<Connection> Connection::connect(const ConnectionContext& context,
                                                const TlsClientContext& tls,
                                                const std::string& server_name, const UdpPath& path,
                                                Timestamp now) {
  std::unique_ptr<Connection> connection(new Connection(context, Role::kClient));
  const ngtcp2_settings settings = Engine::settings(*connection, path, now);
  const ngtcp2_transport_params params = Engine::transport_params(context.options, Role::kClient);
  const ngtcp2_callbacks callbacks = Engine::callbacks();
  const ngtcp2_cid our_id = to_engine(context.ids.issue(*connection));
  const auto first_id = context.random.bytes<18>();
  const ngtcp2_cid their_id = to_engine(ConnectionId(first_id));
  const ngtcp2_path* engine_path = connection->engine_path(path).get();

  ngtcp2_conn* engine = nullptr;
  if (ngtcp2_conn_client_new(&engine, &their_id, &our_id, engine_path, NGTCP2_PROTO_VER_V1,
                             &callbacks, &settings, &params, &connection->memory_->engine,
                             connection.get()) != 0) {
    std::abort();  // only for want of memory
  }
  connection->attach(engine, TlsSession::client(tls, server_name));
  return connection;
}

std::unique_ptr<Connection> Connection::accept(const ConnectionContext& context,
                                               const TlsServerContext& tls,
                                               const ngtcp2_pkt_hd& header,
                                               const std::optional<ConnectionId>& original_id,
                                               const UdpPath& path, Timestamp now) {
  std::unique_ptr<Connection> connection(new Connection(context, Role::kServer));
  ngtcp2_settings settings = Engine::settings(*connection, path, now);
  ngtcp2_transport_params params = Engine::transport_params(context.options, Role::kServer);
  connection->is_stranger_ = true;
  params.original_dcid_present = 1;
  if (original_id) {
    params.original_dcid = to_engine(*original_id);
    params.retry_scid = header.dcid;
    params.retry_scid_present = 1;
    settings.token = header.token;
    settings.tokenlen = header.tokenlen;
    settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
  } else {
    params.original_dcid = header.dcid;
  }
  const ConnectionId id = context.ids.issue(*connection);
  params.stateless_reset_token_present = 1;
  std::ranges::copy(context.ids.reset_token(id), params.stateless_reset_token);

  const ngtcp2_callbacks callbacks = Engine::callbacks();
  const ngtcp2_cid our_id = to_engine(id);
  const ngtcp2_path* engine_path = connection->engine_path(path).get();
  connection->path_guard_.emplace(path, connection->tried_paths_);
  ngtcp2_conn* engine = nullptr;
  if (ngtcp2_conn_server_new(&engine, &header.scid, &our_id, engine_path, header.version,
                             &callbacks, &settings, &params, &connection->memory_->engine,
                             connection.get()) != 0) {
    std::abort();  // only for want of memory
  }
  connection->attach(engine, TlsSession::server(tls));
  connection->memory_->account.charge(kTlsBytes);
  return connection;
}

void Connection::attach(ngtcp2_conn* engine, TlsSession tls) {
  engine_.reset(engine);
  tls_ = std::move(tls);
  ngtcp2_conn_set_tls_native_handle(engine, tls_->handle());
  tls_->bind(&reference_->reference);
  if (context_.options.keep_alive > Duration::zero()) {
    ngtcp2_conn_set_keep_alive_timeout(
        engine, static_cast<std::uint64_t>(context_.options.keep_alive.count()));
  }
}

void Connection::receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now) {
  note_change();
  if (state_ != State::kOpen) return;
  // The engine counts what is left of the marks. Where those were disregarded, its peer finds that
  // the path does not keep them, and sets none any more (RFC 9000 section 13.4.2.1).
  arrival_mark_ = judge_mark(ecn, now);
  const ngtcp2_pkt_info packet_info{.ecn = static_cast<std::uint8_t>(arrival_mark_)};
  const bool was_awaiting_answer = unanswered_since_ != kNever;
  const bool was_awaiting_ack = unacknowledged_since_ != kNever;
  const bool was_suspicious = path_mtu_.is_suspicious();
  const std::uint64_t in_flight = was_awaiting_ack || was_suspicious ? bytes_in_flight() : 0;
  has_heard_ = false;
  is_in_engine_ = true;
  const UdpPath seen = seen_path(path, now);
  const int status = ngtcp2_conn_read_pkt(engine_.get(), engine_path(seen).get(), &packet_info,
                                          payload.data(), payload.size(), to_engine(now));
  is_in_engine_ = false;
  // The engine does not say whether a payload was authentic; what came of it does.
  const bool has_ack = was_awaiting_ack && bytes_in_flight() < in_flight;
  if (was_awaiting_answer && (has_heard_ || has_ack)) {
    slowest_answer_ =
        std::max(now - std::max(unanswered_since_, answered_elsewhere_), slowest_answer_ / 2);
    unanswered_since_ = kNever;
    small_probes_ = 0;
  }
  if (has_ack) {
    unacknowledged_since_ = kNever;
    unacknowledged_probes_ = 0;
    has_heard_ = true;
  }
  if (has_heard_) heard_at_ = now;
  if (status != 0) return fail(status, now);
  if (std::exchange(has_completed_, false)) complete_handshake(now);
  if (http_) http_->hand_over();
  note_path(path, seen, payload, now);
  // The engine calls a packet lost when the peer has acknowledged a later one.
  const bool has_lost = path_mtu_.is_suspicious() && !was_suspicious;
  if (has_lost || (was_suspicious && bytes_in_flight() < in_flight)) doubt_path(now);
  refresh_path_mtu(now);
  note_peer_id();
  tell_path(now);
}

Connection::Sent Connection::send_datagrams(std::span<const Bytes> datagrams, UdpSendQueue& out,
                                            Timestamp now) {
  return write_datagrams(datagrams, writable_bytes(), Purpose::kData, out, now);
}

Connection::Sent Connection::write_datagrams(std::span<const Bytes> datagrams,
                                             std::size_t payload_bytes, Purpose purpose,
                                             UdpSendQueue& out, Timestamp now) {
  note_change();
  if (state_ != State::kOpen) return {SendStatus::kClosed, 0};
  if (is_in_engine_) return {SendStatus::kBlocked, 0};

  const std::size_t limit =
      purpose == Purpose::kProbe ? datagram_bytes_in(payload_bytes) : max_datagram_bytes();
  std::size_t sent = 0;
  std::size_t packet_bytes = 0;  // of the one that is open
  int packets = 0;               // since the last datagram was taken
  bool has_datagram = false;     // the packet being written
  while (sent < datagrams.size()) {
    const Bytes datagram = datagrams[sent];
    assert(!datagram.empty());  // ngtcp2 1.11 asserts on a zero-length DATAGRAM
    // The engine says neither "too big" nor "blocked" clearly; so ask the first question here.
    if (datagram.size() > limit) return {SendStatus::kTooBig, sent};
    if (!out.takes_packets()) return {SendStatus::kFull, sent};

    // As long as another is to come, the engine leaves the packet open; what is written is in
    // next_payload() until it is finished.
    const bool is_last = sent + 1 == datagrams.size();
    const MutableBytes payload = out.next_payload().first(payload_bytes);
    if (packet_bytes == 0)
      packet_bytes = kPacketOverhead + kOurConnectionIdBytes - kDatagramFrameBytes;
    packet_bytes += kDatagramFrameBytes + datagram.size();
    const std::uint64_t note = purpose == Purpose::kProbe ? PathMtu::probe_note(payload_bytes, now)
                                                          : PathMtu::note(packet_bytes, now);
    const ngtcp2_vec piece{const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info packet_info{};
    int was_accepted = 0;
    const ngtcp2_ssize bytes = ngtcp2_conn_writev_datagram(
        engine_.get(), &path.path, &packet_info, payload.data(), payload.size(), &was_accepted,
        is_last ? NGTCP2_WRITE_DATAGRAM_FLAG_NONE : NGTCP2_WRITE_DATAGRAM_FLAG_MORE, note, &piece,
        1, to_engine(now));
    if (was_accepted != 0) {
      if (purpose == Purpose::kData) expect_answer(now);
      ++sent;
      packets = 0;
      has_datagram = true;
    }
    if (bytes == NGTCP2_ERR_WRITE_MORE) continue;
    if (bytes < 0) {
      fail(static_cast<int>(bytes), now);
      return {SendStatus::kClosed, sent};
    }
    if (bytes == 0) return {SendStatus::kBlocked, sent};
    packet_bytes = 0;
    push(out, path.path, static_cast<std::size_t>(bytes), packet_info.ecn, now);
    if (std::exchange(has_datagram, false)) answerable_bytes_ += static_cast<std::size_t>(bytes);
    // A packet of the engine's own went first: an acknowledgement, a probe.
    if (was_accepted == 0 && ++packets == kMaxPacketsBeforeDatagram) {
      return {SendStatus::kBlocked, sent};
    }
  }
  return {SendStatus::kSent, sent};
}

bool Connection::write(UdpSendQueue& out, Timestamp now) {
  if (state_ == State::kOpen && http_) http_->hand_over();
  if (state_ != State::kOpen) return write_close(out, now);

  const std::uint64_t in_flight = bytes_in_flight();
  const bool is_done = write_open(out, now);
  const std::uint64_t in_flight_now = bytes_in_flight();
  const std::uint64_t added = in_flight_now - std::min(in_flight, in_flight_now);
  answerable_bytes_ += added;
  // MTU probes are in flight too, but were left out of the sum: see push().
  if (added > probe_bytes_) expect_answer(now);
  note_peer_id();
  tell_path(now);
  if (is_done && is_leaving_) close("", now);
  return state_ == State::kOpen ? is_done : write_close(out, now);
}

bool Connection::write_open(UdpSendQueue& out, Timestamp now) {
  probe_bytes_ = 0;
  std::array<nghttp3_vec, 16> pieces;
  while (state_ == State::kOpen) {
    if (!out.has_room()) return false;
    Http3::Pick pick;
    std::ptrdiff_t count = 0;
    const bool may_send_more = !is_stranger_ || bytes_in_flight() < kMaxStrangerBytesInFlight;
    if (http_ && may_send_more && ngtcp2_conn_get_max_data_left(engine_.get()) > 0) {
      count = http_->pick(pick, pieces.data(), pieces.size());
      if (count < 0) {
        http_error_ = static_cast<int>(count);
        fail(NGTCP2_ERR_CALLBACK_FAILURE, now);
        break;
      }
    }

    const MutableBytes payload = out.next_payload().first(writable_bytes());
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info packet_info{};
    ngtcp2_ssize accepted = -1;
    const std::uint32_t flags =
        NGTCP2_WRITE_STREAM_FLAG_MORE |
        (pick.ends ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE);
    const ngtcp2_ssize bytes = ngtcp2_conn_writev_stream(
        engine_.get(), &path.path, &packet_info, payload.data(), payload.size(), &accepted, flags,
        pick.stream, reinterpret_cast<const ngtcp2_vec*>(pieces.data()),
        static_cast<std::size_t>(count), to_engine(now));
    if (accepted >= 0) http_->sent(pick.stream, static_cast<std::size_t>(accepted));

    switch (bytes) {
      case NGTCP2_ERR_WRITE_MORE: continue;
      case NGTCP2_ERR_STREAM_DATA_BLOCKED: http_->blocked(pick.stream); continue;
      case NGTCP2_ERR_STREAM_SHUT_WR: shut(pick.stream); continue;
      case 0: return true;  // nothing left, or the congestion window is full
      default: break;
    }
    if (bytes < 0) {
      fail(static_cast<int>(bytes), now);
      break;
    }
    push(out, path.path, static_cast<std::size_t>(bytes), packet_info.ecn, now);
  }
  return true;
}

// The peer takes no more of a stream, which the engine tells when there is more.
void Connection::shut(StreamId stream) {
  http_->shut(stream);
  if (http_->break_off(stream)) context_.events.on_stream_closed(*this, stream);
}

void Connection::push(UdpSendQueue& out, const ngtcp2_path& path, std::size_t bytes,
                      std::uint32_t ecn, Timestamp now) {
  const auto mark = static_cast<Ecn>(ecn);
  const bool is_usual_path = ngtcp2_path_eq(&path, engine_path_->get()) != 0;
  // A path MTU probe travels alone: where it is too large, the kernel refuses its whole burst.
  const bool is_probe = bytes > payload_limit_;
  const auto joining = is_probe ? UdpSendQueue::Joining::kAlone : UdpSendQueue::Joining::kAllowed;
  if (is_probe) {
    probe_bytes_ += bytes;
    if (path_mtu_.limit() == PathMtu::kUnlimited) note_search(now);  // the engine's own
  }
  out.push(is_usual_path ? path_ : from_engine(path), mark, bytes, joining);
  unpaced_bytes_ += bytes;
}

void Connection::end_burst(Timestamp now) {
  // Paced by the quantum, about a millisecond's worth: paced by the packet, each would wait for a
  // timer of its own, which comes late, and the rate never gets where the path would let it.
  if (unpaced_bytes_ < ngtcp2_conn_get_send_quantum(engine_.get())) return;
  unpaced_bytes_ = 0;
  ngtcp2_conn_update_pkt_tx_time(engine_.get(), to_engine(now));
}

bool Connection::update_keys(Timestamp now) {
  note_change();
  return state_ == State::kOpen &&
         ngtcp2_conn_initiate_key_update(engine_.get(), to_engine(now)) == 0;
}

Timestamp Connection::next_timeout() const {
  if (state_ != State::kOpen) return kNever;
  return std::min(timestamp_from_engine(ngtcp2_conn_get_expiry(engine_.get())),
                  std::min({path_mtu_.next_timeout(), small_probe_at(), admit_by_}));
}

void Connection::handle_timeout(Timestamp now) {
  note_change();
  if (state_ != State::kOpen) return;
  // In a web server's words: GOAWAY first.
  if (now >= admit_by_) {
    excess_ = Excess::kTime;
    admit_by_ = kNever;
    is_leaving_ = true;
    if (http_) http_->go_away();
    return;
  }
  const bool was_suspicious = path_mtu_.is_suspicious();
  is_in_engine_ = true;
  const int status = ngtcp2_conn_handle_expiry(engine_.get(), to_engine(now));
  is_in_engine_ = false;
  if (status != 0) return fail(status, now);
  if (path_mtu_.is_suspicious() && !was_suspicious) doubt_path(now);
  refresh_path_mtu(now);
  if (now >= small_probe_at()) {
    wants_small_probe_ = true;
    ++small_probes_;
    ++unacknowledged_probes_;
  }
  note_peer_id();
  tell_path(now);
}

void Connection::set_datagram_sink(StreamId stream, DatagramSink sink) {
  datagram_stream_ = stream;
  sink_ = sink;
}

bool Connection::accepts_datagrams() const {
  return http_takes_datagrams_ && datagram_bytes_in(PathMtu::kBaseBytes) > 0;
}

bool Connection::is_handshake_complete() const {
  return ngtcp2_conn_get_handshake_completed(engine_.get()) != 0;
}

ConnectionId Connection::first_peer_id() const {
  return from_engine(*ngtcp2_conn_get_client_initial_dcid(engine_.get()));
}

std::optional<StreamId> Connection::request(const Request& request) {
  note_change();
  if (state_ != State::kOpen || !http_) return std::nullopt;
  return http_->request(request);
}

bool Connection::respond(StreamId stream, const Response& response) {
  note_change();
  if (state_ != State::kOpen || !http_->respond(stream, response)) return false;
  if (response.keeps_stream_open) admit();
  return true;
}

bool Connection::send(StreamId stream, std::vector<std::uint8_t> bytes) {
  note_change();
  return state_ == State::kOpen && http_ && http_->send(stream, std::move(bytes));
}

void Connection::finish(StreamId stream) {
  note_change();
  if (state_ == State::kOpen && http_) http_->finish(stream);
}

void Connection::reset(StreamId stream, std::uint64_t error_code) {
  note_change();
  if (state_ == State::kOpen && http_) http_->reset(stream, error_code);
}

// A client tells TLS nothing behind its handshake (RFC 9001 sections 4.4 and 6), so a server's TLS
// session, a third of what a connection takes, has done its work.
void Connection::complete_handshake(Timestamp now) {
  if (role_ != Role::kServer) return;
  ngtcp2_conn_set_tls_native_handle(engine_.get(), nullptr);
  tls_.reset();
  memory_->account.discharge(kTlsBytes);
  if (is_stranger_) admit_by_ = now + context_.options.admission_timeout;
}

void Connection::admit() {
  is_stranger_ = false;
  is_leaving_ = false;
  admit_by_ = kNever;
  memory_->account.leave();
}

std::size_t Connection::memory_bytes() const {
  return memory_->account.bytes();
}

void Connection::on_settings(bool accepts_datagrams) {
  has_settings_ = true;
  http_takes_datagrams_ = accepts_datagrams;
  if (state_ == State::kOpen) context_.events.on_settings(*this);
}

void Connection::on_message(StreamId stream, const Message& message) {
  // Nothing comes behind on_closed(), though the payload may hold more.
  if (state_ == State::kOpen) context_.events.on_message(*this, stream, message);
}

void Connection::on_stream_bytes(StreamId stream, Bytes bytes) {
  if (state_ == State::kOpen) context_.events.on_stream_bytes(*this, stream, bytes);
}

void Connection::on_stream_closed(StreamId stream) {
  context_.events.on_stream_closed(*this, stream);
}

}  // namespace qdt::quic
