// The path of a connection: which it is, where it goes next, and how much it carries.

#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <utility>

#include "quic/connection.h"
#include "quic/engine.h"
#include "quic/path.h"

namespace qdt::quic {
namespace {

// Longer than a Ping that is to be answered, shorter than most packets.
constexpr std::size_t kSmallProbeBytes = 128;
constexpr int kMaxSmallProbes = 6;
constexpr Duration kMinUnacknowledged = 500ms;

}  // namespace

bool Connection::migrate(const UdpPath& path, Timestamp now) {
  note_change();
  if (state_ != State::kOpen || role_ != Role::kClient) return false;
  if (ngtcp2_conn_initiate_immediate_migration(engine_.get(), EnginePath(path).get(),
                                               to_engine(now)) != 0) {
    return false;
  }
  engine_path(path);
  unanswered_since_ = unacknowledged_since_ = kNever;
  path_verdict_.reset();
  has_new_path_ = true;
  refresh_path_mtu(now);
  note_peer_id();
  return true;
}

PathGuard::Times Connection::path_times(Timestamp now) const {
  return {.now = now, .rtt = path_state().smoothed_rtt, .patience = path_patience()};
}

// A client has no guard: its engine ignores what does not come from the server's address.
UdpPath Connection::seen_path(const UdpPath& path, Timestamp now) const {
  const bool is_usual = !path_guard_ || path == path_guard_->home() || !is_handshake_complete();
  if (is_usual) return path;
  return path_guard_->seen_path(path, path_times(now));
}

void Connection::note_path(const UdpPath& path, const UdpPath& seen, Bytes payload, Timestamp now) {
  const bool is_usual =
      !path_guard_ || (path == path_guard_->home() && !path_guard_->is_watching());
  if (is_usual || !is_handshake_complete()) return;
  path_guard_->on_read({.path = path,
                        .seen = seen,
                        .payload = payload,
                        .engine_path = this->path(),
                        .is_heard = has_heard_,
                        .unacknowledged_since = unacknowledged_since_},
                       path_times(now));
}

// After whatever may have changed it: the engine does not tell.
void Connection::note_peer_id() {
  const ngtcp2_cid* id = ngtcp2_conn_get_dcid(engine_.get());
  const ngtcp2_path* path = ngtcp2_conn_get_path(engine_.get());
  const bool is_same = peer_id_path_ && ngtcp2_path_eq(path, peer_id_path_->get()) != 0 &&
                       std::ranges::equal(Bytes(id->data, id->datalen), peer_id_.id.bytes());
  if (is_same) return;
  peer_id_ = {from_engine(*id), from_engine(*path)};
  peer_id_path_ = std::make_unique<EnginePath>(peer_id_.path);
  ++peer_id_changes_;
}

// Not from within the engine, which the owner may want to use.
void Connection::tell_path(Timestamp now) {
  if (!path_verdict_ || state_ != State::kOpen) return;
  const PathVerdict verdict = *std::exchange(path_verdict_, std::nullopt);
  if (path_guard_) {
    path_guard_->on_verdict(verdict.path, verdict.is_usable, path(), path_times(now));
  }
  context_.events.on_path_tried(*this, verdict.path, verdict.is_usable);
}

std::uint64_t Connection::bytes_in_flight() const {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(engine_.get(), &info);
  return info.bytes_in_flight;
}

UdpPath Connection::path() const {
  return from_engine(*ngtcp2_conn_get_path(engine_.get()));
}

PathState Connection::path_state() const {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(engine_.get(), &info);
  const auto duration = [](std::uint64_t time) {
    return time == UINT64_MAX ? Duration::zero() : Duration(static_cast<std::int64_t>(time));
  };
  return {.smoothed_rtt = duration(info.smoothed_rtt),
          .min_rtt = duration(info.min_rtt),
          .window_bytes = info.cwnd,
          .in_flight_bytes = info.bytes_in_flight,
          .delivered_bytes = answerable_bytes_ - std::min(answerable_bytes_, info.bytes_in_flight)};
}

const EnginePath& Connection::engine_path(const UdpPath& path) {
  if (!engine_path_ || path != path_) {
    path_ = path;
    engine_path_ = std::make_unique<EnginePath>(path);
  }
  return *engine_path_;
}

// The longest header is allowed for, so what is said to fit does.
std::size_t Connection::datagram_bytes_in(std::size_t payload_bytes) const {
  const ngtcp2_transport_params* remote = ngtcp2_conn_get_remote_transport_params(engine_.get());
  if (remote == nullptr || remote->max_datagram_frame_size <= kDatagramFrameBytes) return 0;
  const std::size_t overhead = kPacketOverhead + ngtcp2_conn_get_dcid(engine_.get())->datalen;
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      remote->max_datagram_frame_size - kDatagramFrameBytes, payload_bytes - overhead));
}

void Connection::refresh_path_mtu(Timestamp now) {
  if (std::exchange(has_new_path_, false)) {
    path_mtu_.start(path().remote.address.is_v4(), now, 2 * probe_timeout());
    marks_ = {};
  }
  const std::size_t ceiling = ngtcp2_conn_get_path_max_tx_udp_payload_size(engine_.get());
  path_mtu_.advance(ceiling, now);
  payload_limit_ = std::min(path_mtu_.limit(), ceiling);
  const bool is_first = max_datagram_bytes_ == 0;
  max_datagram_bytes_ = datagram_bytes_in(payload_limit_);
  if (is_first) {
    expected_datagram_bytes_ =
        datagram_bytes_in(ngtcp2_conn_get_max_tx_udp_payload_size(engine_.get()));
  }
  expected_datagram_bytes_ = path_mtu_.is_settled()
                                 ? max_datagram_bytes_
                                 : std::max(expected_datagram_bytes_, max_datagram_bytes_);
}

void Connection::doubt_path(Timestamp now) {
  path_mtu_.on_heard(ngtcp2_conn_get_path_max_tx_udp_payload_size(engine_.get()), now,
                     path_state().smoothed_rtt);
}

void Connection::doubt_large_payloads(Timestamp now) {
  note_change();
  if (state_ != State::kOpen) return;
  path_mtu_.look_again(ngtcp2_conn_get_path_max_tx_udp_payload_size(engine_.get()), now);
  refresh_path_mtu(now);
}

void Connection::note_search(Timestamp now) {
  path_mtu_.on_search_probe(now, probe_timeout());
}

Duration Connection::probe_timeout() const {
  return Duration(static_cast<std::int64_t>(ngtcp2_conn_get_pto(engine_.get())));
}

Duration Connection::path_patience() const {
  constexpr Duration kInitialProbeTimeout = 1s;  // RFC 9002 section 6.2.2
  return 3 * std::max<Duration>(probe_timeout(), kInitialProbeTimeout);
}

Duration Connection::answer_time() const {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(engine_.get(), &info);
  const bool is_measured = info.min_rtt != UINT64_MAX;
  return std::max(is_measured ? probe_timeout() : Duration::zero(), 3 * slowest_answer_ / 2);
}

// When all that is in flight is large, the engine's own probe is large, too, and where more is
// always to be sent, its timer never comes: from a path that has shrunk, nothing would ever be
// heard. An answer to something small lets the engine see what was lost. A peer that goes on
// sending is heard all the time; then acknowledgements are waited for, longer, since they may only
// be late.
Timestamp Connection::small_probe_at() const {
  if (wants_small_probe_ || payload_limit_ <= PathMtu::kBaseBytes) return kNever;
  const auto due = [](Timestamp since, Duration patience, int probes) {
    const bool is_due = since != kNever && probes < kMaxSmallProbes;
    return is_due ? since + patience * (1 << probes) : kNever;
  };
  const Duration timeout = probe_timeout();
  return std::min(due(unanswered_since_, timeout, small_probes_),
                  due(unacknowledged_since_, std::max<Duration>(kMinUnacknowledged, 2 * timeout),
                      unacknowledged_probes_));
}

std::size_t Connection::next_path_probe() const {
  if (state_ != State::kOpen) return 0;
  if (wants_small_probe_) return kSmallProbeBytes;
  const std::size_t bytes = path_mtu_.next_probe();
  return bytes == 0 ? 0 : datagram_bytes_in(bytes);
}

Connection::SendStatus Connection::send_path_probe(Bytes datagram, UdpSendQueue& out,
                                                   Timestamp now) {
  const bool is_small = wants_small_probe_;
  const std::size_t bytes = is_small ? PathMtu::kBaseBytes : path_mtu_.next_probe();
  const auto [status, count] = write_datagrams({&datagram, 1}, bytes, Purpose::kProbe, out, now);
  if (count == 0) return status;
  if (!is_small) path_mtu_.on_probe_sent(bytes, now, probe_timeout());
  wants_small_probe_ = false;
  return status;
}

}  // namespace qdt::quic
