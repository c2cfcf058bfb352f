#include "plane/direct_plane.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "wire/ecn.h"

namespace qdt::plane {
namespace {

using wire::DirectFrameType;

constexpr Duration kFirstPing = 250ms;
constexpr Duration kLongestPing = 60s;
// For how long packets under the key before are taken at least. Later ones are worth nothing.
constexpr Duration kMinKeepOldKey = 500ms;
// The QUIC connection is asked no more often.
constexpr Duration kAskInterval = 125ms;
// Larger packets leave at once: joining costs a copy, and nothing of use would fit beside them.
constexpr std::size_t kMaxJoinedPacket = 512;
// Ping, pong and feedback.
constexpr std::size_t kControlBytes = 2 * wire::kPingFrameBytes + wire::kFeedbackFrameBytes;
constexpr std::size_t kControlFrames = 3;
constexpr std::size_t kPingBytes = wire::kPingFrameBytes + wire::kDirectOverhead;

// Not if it has only feedback and padding.
bool calls_for_feedback(Bytes payload) {
  const auto is = [&payload](DirectFrameType type) {
    return !payload.empty() && payload[0] == static_cast<std::uint8_t>(type);
  };
  const bool begins_with_feedback =
      is(DirectFrameType::kFeedback) && payload.size() >= wire::kFeedbackFrameBytes;
  if (begins_with_feedback) payload = payload.subspan(wire::kFeedbackFrameBytes);
  return !payload.empty() && !is(DirectFrameType::kPadding);
}

const wire::HkdfSecret& our_secret(const DirectPlane::Options& options) {
  return options.role == Role::kServer ? options.secrets.server : options.secrets.client;
}

const wire::HkdfSecret& their_secret(const DirectPlane::Options& options) {
  return options.role == Role::kServer ? options.secrets.client : options.secrets.server;
}

}  // namespace

wire::DirectSecrets DirectPlane::secrets(const quic::Connection& connection, std::string_view token,
                                         const wire::HandshakeNonce& client_nonce,
                                         const wire::HandshakeNonce& server_nonce,
                                         wire::AeadAlgorithm algorithm) {
  return wire::derive_direct_secrets(connection.exporter(), token, client_nonce, server_nonce,
                                     algorithm);
}

static_assert(Plane<DirectPlane>);

DirectPlane::DirectPlane(const Options& options, quic::Connection& connection, Random& random,
                         Timestamp now)
    : role_(options.role),
      own_ids_(options.shares_ids ? std::vector<wire::DirectId>() : options.own_ids),
      peer_ids_(options.peer_ids),
      shares_ids_(options.shares_ids),
      connection_(connection),
      random_(random),
      sealer_(options.secrets.algorithm, our_secret(options), now),
      opener_(options.secrets.algorithm, their_secret(options)),
      // A client's request may come in the name of an address that never answered.
      path_(connection.home_path(), options.has_shaper),
      paths_(path_.address(), connection.tried_paths(), random) {
  assert(!options.own_ids.empty() && !peer_ids_.empty());
  if (!shares_ids_) used_id_ = options.own_ids.front();
  begin_pings(now);
}

std::size_t DirectPlane::max_packet_bytes() const {
  return connection_.path_mtu() - wire::kDirectOverhead;
}

Duration DirectPlane::rtt() const {
  if (path_.rtt() > Duration::zero()) return path_.rtt();
  return std::max(connection_.path_state().smoothed_rtt, path_.earlier_rtt());
}

PathView DirectPlane::view() const {
  return {.rtt = rtt(),
          .delivered_bytes = path_.delivered_bytes(),
          .heard_at = heard_at_,
          .packets_arrived = path_.packets_arrived(),
          .packets_lost = path_.packets_lost()};
}

Step DirectPlane::send(Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now) {
  const std::size_t limit = max_packet_bytes();
  while (cut.offset < packet.size()) {
    const bool is_whole = cut.offset == 0 && packet.size() <= limit;
    const std::size_t bytes =
        is_whole ? packet.size()
                 : std::min(limit - 1 - wire::kFragmentHeaderBytes, packet.size() - cut.offset);
    const Step step = is_whole ? send_whole(packet, out, now)
                               : send_fragment(cut.header(packet.size()),
                                               packet.subspan(cut.offset, bytes), out, now);
    if (step != Step::kDone) return step;
    cut.offset += bytes;
    cut.sealed_bytes += bytes + wire::kDirectOverhead;
  }
  return Step::kDone;
}

Step DirectPlane::send_whole(Bytes packet, UdpSendQueue& out, Timestamp now) {
  if (packet.size() <= kMaxJoinedPacket) return join(packet, out, now);
  if (const Step step = seal_joined(out, now); step != Step::kDone) return step;
  return seal(packet, wire::ecn_of(packet), Content::kPackets, out, now);
}

Step DirectPlane::send_fragment(Bytes header, Bytes piece, UdpSendQueue& out, Timestamp now) {
  // To the end of the payload: nothing can follow it.
  if (const Step step = seal_joined(out, now); step != Step::kDone) return step;
  joined_[0] = static_cast<std::uint8_t>(DirectFrameType::kFragment);
  append(append(MutableBytes(joined_).subspan(1), header), piece);
  const Bytes payload = Bytes(joined_).first(1 + header.size() + piece.size());
  return seal(payload, Ecn::kNotEct, Content::kPackets, out, now);
}

// Puts `packet` beside those that wait, or sends them first.
Step DirectPlane::join(Bytes packet, UdpSendQueue& out, Timestamp now) {
  const bool has_room = joined_bytes_ + packet.size() <= max_packet_bytes() &&
                        joined_packets_ < wire::kMaxDirectFrames;
  if (!has_room) {
    if (const Step step = seal_joined(out, now); step != Step::kDone) return step;
  }
  append(MutableBytes(joined_).subspan(joined_bytes_), packet);
  joined_bytes_ += packet.size();
  ++joined_packets_;
  return Step::kDone;
}

// `more_bytes` of other frames are behind the packets.
Step DirectPlane::seal_joined(UdpSendQueue& out, Timestamp now, std::size_t more_bytes) {
  if (joined_bytes_ == 0) return Step::kDone;
  const Bytes payload = Bytes(joined_).first(joined_bytes_ + more_bytes);
  const bool is_one_packet = joined_packets_ == 1 && more_bytes == 0;
  const Ecn ecn = is_one_packet ? wire::ecn_of(payload) : Ecn::kNotEct;
  const Step step = seal(payload, ecn, Content::kPackets, out, now);
  if (step == Step::kDone) joined_bytes_ = joined_packets_ = 0;
  return step;
}

Step DirectPlane::seal(Bytes payload, Ecn ecn, Content content, UdpSendQueue& out, Timestamp now) {
  const bool has_packets = content == Content::kPackets;
  const bool has_room = has_packets ? out.takes_packets() : out.has_room();
  if (!has_room) return Step::kFull;
  const std::size_t bytes = payload.size() + wire::kDirectOverhead;
  if (!may_send(bytes, content, now)) return Step::kBlocked;
  if (has_packets) expect_answer(now);
  path_.on_sent(sealer_.next_counter(), bytes, has_packets, now);
  const MutableBytes sealed = out.next_payload().first(bytes);
  sealer_.seal(id_, payload, sealed, now);
  out.push(path_.address(), ecn, bytes);
  paths_.on_sent(bytes);
  if (has_packets) send_second(sealed, ecn, out);
  return Step::kDone;
}

// To the other of two addresses that may be the client's.
void DirectPlane::send_second(Bytes payload, Ecn ecn, UdpSendQueue& out) {
  if (!paths_.is_watching() || !out.has_room()) return;
  const auto second = paths_.take_second(payload.size());
  if (!second) return;
  append(out.next_payload(), payload);
  out.push(*second, ecn, payload.size());
}

void DirectPlane::send_pings_elsewhere(UdpSendQueue& out, Timestamp now) {
  while (out.has_room() && !sealer_.is_exhausted() && choose_id()) {
    const auto ping = paths_.take_ping_elsewhere(kPingBytes, now);
    if (!ping) return;
    path_.on_sent_elsewhere(sealer_.next_counter(), now);
    sealer_.seal(id_, wire::encode_ping(DirectFrameType::kPing, ping->cookie), out.next_payload(),
                 now);
    out.push(ping->path, Ecn::kNotEct, kPingBytes);
  }
}

PeerPaths::Times DirectPlane::times(Timestamp now) const {
  return {.now = now, .rtt = rtt(), .patience = connection_.path_patience()};
}

void DirectPlane::expect_answer(Timestamp now) {
  if (!path_.expect_answer(sealer_.next_counter(), now)) return;
  // The answer may be lost, and nothing more be there to send that would be answered, too.
  next_ping_ = std::min(next_ping_, now + path_.patience(rtt()) / 2);
}

bool DirectPlane::may_send(std::size_t bytes, Content content, Timestamp now) {
  const bool has_packets = content == Content::kPackets;
  if (has_packets) path_.unblock();
  if (sealer_.is_exhausted()) {
    is_usable_ = false;
    return false;
  }
  if (!choose_id()) {
    if (has_packets) expect_answer(now);
    return false;
  }
  // Packets leave room for the ping whose answer ends the limit.
  const std::size_t reserved = has_packets ? kControlBytes + wire::kDirectOverhead : 0;
  if (!paths_.may_send(bytes + reserved)) {
    // It is the ping's that they wait for.
    if (has_packets) expect_answer(now);
    return false;
  }
  return !has_packets || path_.may_send(now);
}

// The ID that the QUIC connection has on path_. False: it has none there yet, and there is no
// other, as it was elsewhere from the beginning, or the client has changed its own, so that nobody
// sees that both addresses are the same one's (RFC 9000 section 9.5).
bool DirectPlane::choose_id() {
  if (!is_id_stale_ && id_changes_ == connection_.peer_id_changes()) return has_id_;
  is_id_stale_ = false;
  id_changes_ = connection_.peer_id_changes();
  if (!shares_ids_) {
    id_ = peer_ids_[peer_id_];
    return has_id_ = true;
  }
  const auto& [id, path] = connection_.peer_id();
  if (path == path_.address()) {
    append(id_, id.bytes());
    has_id_ = true;
  } else if (path_.address() != id_path_) {
    const bool had_id = id_path_ != UdpPath{};
    has_id_ = had_id && !has_moved_on_purpose_;
  }
  if (has_id_) id_path_ = path_.address();
  return has_id_;
}

Step DirectPlane::flush(UdpSendQueue& out, Timestamp now) {
  if (paths_.is_watching()) {
    if (paths_.expire(times(now))) follow_peer();
    send_pings_elsewhere(out, now);
  }
  if (is_usable_ && path_.answer_due(rtt()) <= now) {
    is_usable_ = false;
    path_.on_silence();
    // RFC 9000 section 9.3.2: whoever sent from elsewhere is not there.
    if (role_ == Role::kServer && paths_.go_home_to(connection_.home_path())) follow_peer();
    begin_pings(now);
    // A server that has forgotten the session says so to the QUIC connection alone.
    ask_quic(now);
  }
  // Until there is an ID for where the client is.
  if (!choose_id()) return Step::kBlocked;
  // A sender that waited for the shaper has tried again by now, or has nothing left to send.
  if (path_.unblocked_at() <= now) path_.unblock();
  const bool is_held =
      joined_bytes_ > 0 &&
      !may_send(joined_bytes_ + kControlBytes + wire::kDirectOverhead, Content::kPackets, now);
  const bool has_room_beside = joined_bytes_ + kControlBytes <= max_packet_bytes() &&
                               joined_packets_ + kControlFrames <= wire::kMaxDirectFrames;
  if (!is_held && !has_room_beside) {
    if (const Step step = seal_joined(out, now); step != Step::kDone) return step;
  }
  // A due frame is forgotten once it is written, so there has to be room for it.
  const bool has_room = is_held || joined_bytes_ == 0 ? out.has_room() : out.takes_packets();
  if (!has_room) return has_something(now) ? Step::kFull : Step::kDone;

  if (!is_held && joined_bytes_ > 0) {
    const MutableBytes behind = MutableBytes(joined_).subspan(joined_bytes_);
    return seal_joined(out, now, write_control(behind, path_.arrivals().may_ride(now), now));
  }
  // Without the packets that are held back: what waited with them would tell of the past. What an
  // address that has not answered may not get is lost, as anything may be.
  std::array<std::uint8_t, kControlBytes> control;
  const std::size_t bytes = write_control(control, /*tells=*/false, now);
  if (bytes > 0) seal(Bytes(control).first(bytes), Ecn::kNotEct, Content::kControl, out, now);
  return is_held ? Step::kBlocked : Step::kDone;
}

// Writes what is due to `out`, and feedback if it `tells`; returns its length.
std::size_t DirectPlane::write_control(MutableBytes out, bool tells, Timestamp now) {
  MutableBytes rest = out;
  if (std::exchange(has_pong_to_send_, false)) {
    rest = append(rest, wire::encode_ping(DirectFrameType::kPong, pong_cookie_));
  }
  if (const auto cookie = paths_.take_ping(now)) {
    rest = append(rest, wire::encode_ping(DirectFrameType::kPing, *cookie));
  } else if (next_ping_ <= now) {
    next_ping_ = now + ping_interval_;
    ping_interval_ = std::min(2 * ping_interval_, kLongestPing);
    rest = append(rest, wire::encode_ping(DirectFrameType::kPing, cookie_));
  }
  if (tells || path_.arrivals().due() <= now) {
    path_.arrivals().set_rtt(rtt());
    rest = append(rest, wire::encode_feedback(path_.arrivals().take(now)));
  }
  return out.size() - rest.size();
}

bool DirectPlane::has_something(Timestamp now) const {
  return joined_bytes_ > 0 || has_pong_to_send_ || asks_quic_ || next_timeout() <= now;
}

Timestamp DirectPlane::next_timeout() const {
  const Timestamp silent_at = is_usable_ ? path_.answer_due(rtt()) : kNever;
  if (!has_id_) return std::min(paths_.deadline(), silent_at);
  return std::min(
      {next_ping_, path_.arrivals().due(), path_.unblocked_at(), paths_.next_timeout(), silent_at});
}

std::expected<DirectPlane::Opened, Drop> DirectPlane::open(const UdpPath& path, Ecn ecn,
                                                           Bytes packet, MutableBytes slot,
                                                           Timestamp now) {
  const auto opened = opener_.open(packet, slot, now, std::max(kMinKeepOldKey, 3 * rtt()));
  if (!opened) {
    if (opened.error() == Drop::kReplayed) take_copy(path, packet, now);
    return std::unexpected(opened.error());
  }
  heard_at_ = now;
  if (!used_id_) used_id_ = wire::direct_id_of(packet);
  const auto kind = opened->is_newest ? PeerPaths::Kind::kNewest : PeerPaths::Kind::kLate;
  if (may_have_moved(path)) note_arrival(path, packet, kind, now);
  const MutableBytes payload = slot.first(opened->bytes);
  const Ecn mark = connection_.judge_mark(ecn, now);
  // A packet with which somebody was faster is told of when it comes by the path: else its times
  // would be his.
  if (path == path_.address() || role_ == Role::kClient) {
    if (opened->is_newest && !paths_.is_on_trial()) path_.arrivals().resume();
    path_.arrivals().on_packet(opened->counter, opened->is_newest, packet.size(), mark == Ecn::kCe,
                               calls_for_feedback(payload), now);
  }
  return Opened{.rest = payload, .mark = mark};
}

std::expected<Piece, Drop> DirectPlane::next(Opened& opened, const UdpPath& path, Timestamp now) {
  const auto frame = opened.frames++ < wire::kMaxDirectFrames ? wire::take_direct_frame(opened.rest)
                                                              : std::unexpected(Drop::kMalformed);
  if (!frame) {
    opened.rest = {};
    return std::unexpected(frame.error());
  }
  Piece piece{.bytes = frame->body, .mark = opened.mark};
  switch (frame->type) {
    case DirectFrameType::kPacket: {
      // RFC 6040 section 4.2: nobody else would hear of the mark. Our own kind marks no such
      // payload as able to bear it, so most often something on the path overwrites the field: hence
      // few.
      const bool is_dropped = piece.mark == Ecn::kCe && wire::ecn_of(piece.bytes) == Ecn::kNotEct &&
                              connection_.may_drop_marked(now);
      if (is_dropped) return std::unexpected(Drop::kPathMark);
      piece.kind = Piece::Kind::kPacket;
      return piece;
    }
    case DirectFrameType::kFragment: piece.kind = Piece::Kind::kFragment; return piece;
    case DirectFrameType::kPadding: return piece;
    default: break;
  }
  if (const auto taken = take_control(*frame, path, now); !taken) {
    return std::unexpected(taken.error());
  }
  return piece;
}

std::expected<void, Drop> DirectPlane::take_control(const wire::DirectFrame& frame,
                                                    const UdpPath& path, Timestamp now) {
  switch (frame.type) {
    case DirectFrameType::kPing:
      append(pong_cookie_, frame.body);
      has_pong_to_send_ = true;
      // The server may have found us at another address: the QUIC connection is to move along.
      if (role_ == Role::kClient) ask_quic(now);
      return {};
    case DirectFrameType::kPong: take_pong(frame.body, path, now); return {};
    case DirectFrameType::kFeedback: {
      const auto news =
          path_.on_feedback(wire::decode_feedback(frame.body), sealer_.next_counter(), rtt(), now);
      if (!news && news.error() == Drop::kReplayed) return {};  // overtaken by newer
      if (!news) return std::unexpected(news.error());
      sealer_.acknowledge(path_.highest_delivered());
      if (news->misses_large || news->is_hole) connection_.doubt_large_payloads(now);
      if (news->is_hole) ask_quic(now);
      on_peer_reached(now);
      return {};
    }
    default: return {};
  }
}

void DirectPlane::take_pong(Bytes body, const UdpPath& path, Timestamp now) {
  wire::PingCookie cookie;
  append(cookie, body);
  const UdpPath home = paths_.home();
  if (paths_.is_watching() && paths_.on_pong(cookie, path, times(now))) follow_peer();
  const bool is_ours = cookie == cookie_ || paths_.home() != home;
  if (!is_ours) return;  // of an earlier path
  // Feedback tells which packets arrived.
  if (!is_usable_) on_peer_reached(now);
  next_ping_ = kNever;
}

// The peer receives our packets.
void DirectPlane::on_peer_reached(Timestamp now) {
  is_usable_ = true;
  path_.on_answer(now);
  connection_.note_answer(now);
  ping_interval_ = kFirstPing;
  next_ping_ = kNever;
}

void DirectPlane::ask_quic(Timestamp now) {
  if (now - asked_quic_ < kAskInterval) return;
  asked_quic_ = now;
  asks_quic_ = true;
}

void DirectPlane::begin_pings(Timestamp now) {
  cookie_ = random_.bytes<sizeof cookie_>();
  next_ping_ = now;
  ping_interval_ = kFirstPing;
}

bool DirectPlane::may_have_moved(const UdpPath& path) const {
  return role_ == Role::kServer && (path != path_.address() || paths_.is_watching());
}

// An authentic packet that was there before.
void DirectPlane::take_copy(const UdpPath& path, Bytes packet, Timestamp now) {
  if (role_ == Role::kClient) return;
  if (may_have_moved(path)) note_arrival(path, packet, PeerPaths::Kind::kCopy, now);
  const bool is_news = path == path_.address() && opener_.latest() > path_.arrivals().highest();
  if (is_news) {
    path_.arrivals().resume();
    path_.arrivals().on_packet(opener_.latest(), /*is_newest=*/true, packet.size(),
                               /*is_marked=*/false,
                               /*asks=*/true, now);
  }
}

void DirectPlane::note_arrival(const UdpPath& path, Bytes packet, PeerPaths::Kind kind,
                               Timestamp now) {
  // The client is elsewhere: by its own will, if it uses another ID of ours, and then we do, too.
  const wire::DirectId id = *wire::direct_id_of(packet);
  const bool has_new_id = used_id_ && id != *used_id_;
  const bool has_moved = paths_.on_arrival({.path = path,
                                            .counter = opener_.latest(),
                                            .kind = kind,
                                            .bytes = packet.size(),
                                            .has_new_id = has_new_id},
                                           times(now));
  if (!has_moved) return;
  used_id_ = id;
  if (has_new_id) peer_id_ = (peer_id_ + 1) % peer_ids_.size();
  has_moved_on_purpose_ = has_new_id && paths_.is_on_trial();
  follow_peer();
}

void DirectPlane::follow_peer() {
  if (path_.address() == paths_.current()) return;
  move_to(paths_.current());
  if (path_.address() == paths_.home()) has_moved_on_purpose_ = false;
  if (paths_.is_on_trial()) path_.arrivals().pause();
}

void DirectPlane::move_to(const UdpPath& address) {
  path_ = DirectPath(address, path_, rtt());
  is_id_stale_ = true;
}

void DirectPlane::migrate(const UdpPath& path, Timestamp now) {
  move_to(path);
  path_.forget_unanswered();
  paths_.go_home_to(path);
  peer_id_ = (peer_id_ + 1) % peer_ids_.size();
  begin_pings(now);
}

void DirectPlane::on_connection_path(const UdpPath& path, Timestamp now) {
  // Packets that arrive tell where the peer is sooner than its QUIC connection.
  if (is_usable_ && path != path_.address()) return;
  if (paths_.on_validated(path, times(now))) follow_peer();
}

}  // namespace qdt::plane
