#include "tunnel/session.h"

#include <algorithm>
#include <cassert>

#include "wire/flow_hash.h"
#include "wire/varint.h"

namespace qdt::tunnel {
namespace {

using wire::DatagramType;
using SendStatus = quic::Connection::SendStatus;

// A path that leaves less than this for a datagram cannot carry IPv4's smallest MTU in fragments
// that make sense; QUIC itself needs 1200 bytes.
constexpr std::size_t kMinDatagramBytes = 256;
// The size of a bare IPv4 header: where less is free, no packet can join.
constexpr std::size_t kSmallestDatagramBytes = 1 + wire::kDatagramOverhead + 20;
// The filling of a Ping that probes the path.
constexpr std::array<std::uint8_t, UdpSendQueue::kMaxPayloadBytes> kPadding{};

const wire::DirectionKey& our_key(const SessionOptions& options) {
  return options.role == Role::kServer ? options.keys.server : options.keys.client;
}

const wire::DirectionKey& their_key(const SessionOptions& options) {
  return options.role == Role::kServer ? options.keys.client : options.keys.server;
}

access::SharedRate* shared_rate(const SessionOptions& options, bool is_up) {
  if (options.account == nullptr) return nullptr;
  return is_up ? &options.account->rate_up() : &options.account->rate_down();
}

}  // namespace

Session::Session(const SessionOptions& options, quic::Connection& connection, quic::StreamId stream,
                 PacketPool& pool, Counters& counters, Attention<Session>& attention,
                 Random& random, Timestamp now)
    : opener(options.id, their_key(options)),
      reassembler(options.max_reassembly_bytes),
      last_packet(now),
      options_(options),
      attention_(attention),
      connection_(connection),
      stream_(stream),
      quarter_id_(quic::Connection::quarter_id(stream)),
      quarter_bytes_(wire::varint_bytes(quarter_id_)),
      opened_at_(now),
      send_limit_(options.rate_limit, now),
      receive_limit_(options.rate_limit, now),
      send_share_(shared_rate(options, options.role == Role::kClient), options.account_rate),
      receive_share_(shared_rate(options, options.role == Role::kServer), options.account_rate),
      sealer_(options.id, our_key(options)),
      queue_(pool,
             {.max_packets = options.send_queue, .quantum_bytes = options.mtu, .seed = options.id},
             counters),
      limits_(now) {
  if (options.direct) direct_.emplace(*options.direct, connection, random, now);
  note_change();
}

bool Session::send(const wire::IpPacket& packet, UdpSendQueue& out, Timestamp now) {
  note_change();
  if (is_blocked_ || !queue_.empty())
    return queue_.push(packet.bytes, wire::flow_hash(packet), now);

  std::size_t offset = 0;
  transmit(packet.bytes, offset, out, now);
  credit_ = 0;                                     // nobody waited
  if (offset == packet.bytes.size()) return true;  // sent, or sealed and waiting
  if (!queue_.push(packet.bytes, wire::flow_hash(packet), now)) return false;
  if (offset > 0) {
    queue_.front(now);  // its turn goes on, whatever comes meanwhile
    front_offset_ = offset;
  }
  return true;
}

Session::Progress Session::flush(std::size_t turn_bytes, UdpSendQueue& out, Timestamp now) {
  note_change();
  if (direct_)
    queue_.pause_dropping(direct_->is_usable() && direct_->shaper().should_pause_dropping());
  if (credit_ <= 0) credit_ += static_cast<std::int64_t>(turn_bytes);
  const Progress progress = flush_queue(out, now);
  if (progress == Progress::kIdle) limits_.set(SendLimit::kApplication, now);
  const bool is_waiting = progress == Progress::kTurnOver || progress == Progress::kFull;
  if (!is_waiting) credit_ = 0;
  const bool is_full = direct_ && flush_direct(out, now) == Step::kFull;
  return is_full ? Progress::kFull : progress;
}

// Sends the direct plane's own frames, and asks what it wants to know of the QUIC connection.
Session::Step Session::flush_direct(UdpSendQueue& out, Timestamp now) {
  const Step step = direct_->flush(out, now);
  if (direct_->take_quic_question()) ping_by_quic(out, now);
  return step;
}

void Session::ping_by_quic(UdpSendQueue& out, Timestamp now) {
  note_change();
  if (sealer_.is_exhausted() || make_room(0, out, now) != Step::kDone) return;
  seal(DatagramType::kPing, {}, {});
  send_sealed(out, now);
}

Session::Progress Session::flush_queue(UdpSendQueue& out, Timestamp now) {
  const auto progress = [](Step step) {
    return step == Step::kBlocked ? Progress::kBlocked : Progress::kFull;
  };
  // A QUIC connection that takes no more does not keep direct packets waiting.
  const bool is_direct = direct_ && direct_->is_usable();
  Step control = flush_control(out, now);
  if (is_direct && control == Step::kDone) control = send_sealed(out, now);
  if (control != Step::kDone && !is_direct) return progress(control);
  while (credit_ > 0) {
    const Bytes packet = queue_.front(now);
    if (packet.empty()) break;
    const Step step = transmit(packet, front_offset_, out, now);
    if (front_offset_ == packet.size()) {
      queue_.pop();
      front_offset_ = 0;
    }
    if (step != Step::kDone) return progress(step);
  }
  if (is_direct) {
    is_blocked_ = false;
    if (control == Step::kFull) return Progress::kFull;
  } else if (const Step step = send_sealed(out, now); step != Step::kDone) {
    return progress(step);
  }
  return queue_.empty() ? Progress::kIdle : Progress::kTurnOver;
}

Session::Step Session::flush_control(UdpSendQueue& out, Timestamp now) {
  if (has_pong_to_send_) {
    if (const Step step = make_room(pong_bytes_, out, now); step != Step::kDone) return step;
    has_pong_to_send_ = false;
    seal(DatagramType::kPong, {}, Bytes(pong_).first(pong_bytes_));
  }
  return connection_.next_path_probe() > 0 ? send_path_probes(out, now) : Step::kDone;
}

// Sends `packet` from `offset` on, whole where it fits, else in fragments. Advances `offset` past
// what is sent or sealed.
Session::Step Session::transmit(Bytes packet, std::size_t& offset, UdpSendQueue& out,
                                Timestamp now) {
  if (direct_ && direct_->is_usable()) return transmit_directly(packet, offset, out, now);
  is_blocked_ = options_.needs_direct;
  return is_blocked_ ? Step::kBlocked : transmit_by_quic(packet, offset, out, now);
}

Session::Step Session::transmit_directly(Bytes packet, std::size_t& offset, UdpSendQueue& out,
                                         Timestamp now) {
  const std::size_t limit = direct_->max_packet_bytes();
  while (offset < packet.size()) {
    const bool is_whole = offset == 0 && packet.size() <= limit;
    const std::size_t bytes =
        is_whole ? packet.size()
                 : std::min(limit - 1 - wire::kFragmentHeaderBytes, packet.size() - offset);
    const Step step = is_whole ? direct_->send(packet, out, now)
                               : direct_->send_fragment(fragment_header(offset, packet.size()),
                                                        packet.subspan(offset, bytes), out, now);
    is_blocked_ = step != Step::kDone;
    if (is_blocked_) {
      limits_.set(step == Step::kFull ? SendLimit::kSocket : SendLimit::kPacing, now);
      return step;
    }
    offset += bytes;
    credit_ -= static_cast<std::int64_t>(bytes + wire::kDirectOverhead);
  }
  return Step::kDone;
}

std::array<std::uint8_t, wire::kFragmentHeaderBytes> Session::fragment_header(std::size_t offset,
                                                                              std::size_t total) {
  if (offset == 0) ++fragment_id_;
  return wire::encode_fragment_header({.id = fragment_id_,
                                       .offset = static_cast<std::uint32_t>(offset),
                                       .total = static_cast<std::uint32_t>(total)});
}

// In one Data datagram where it fits.
Session::Step Session::transmit_by_quic(Bytes packet, std::size_t& offset, UdpSendQueue& out,
                                        Timestamp now) {
  while (offset < packet.size()) {
    const std::size_t limit = max_datagram_bytes();
    if (limit < kMinDatagramBytes || sealer_.is_exhausted()) return Step::kBlocked;

    const bool is_whole = offset == 0 && wire::fits_one_datagram(packet.size(), limit);
    const std::size_t bytes =
        is_whole ? packet.size()
                 : std::min(limit - wire::kFragmentOverhead, packet.size() - offset);
    const std::size_t prefix_bytes = is_whole ? 0 : wire::kFragmentHeaderBytes;
    if (const Step step = make_room(prefix_bytes + bytes, out, now); step != Step::kDone) {
      return step;
    }
    if (is_whole) {
      seal(DatagramType::kData, {}, packet);
    } else {
      seal(DatagramType::kFragment, fragment_header(offset, packet.size()),
           packet.subspan(offset, bytes));
    }
    offset += bytes;
    if (sealed_.has_room(kSmallestDatagramBytes, connection_.max_datagram_bytes())) continue;
    if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  }
  return Step::kDone;
}

// Sends what is sealed if a datagram of so much plaintext could not join it.
Session::Step Session::make_room(std::size_t plaintext_bytes, UdpSendQueue& out, Timestamp now) {
  const std::size_t bytes = quarter_bytes_ + wire::kDatagramOverhead + plaintext_bytes;
  if (sealed_.empty() || sealed_.has_room(bytes, connection_.max_datagram_bytes())) {
    return Step::kDone;
  }
  return send_sealed(out, now);
}

Session::Step Session::send_sealed(UdpSendQueue& out, Timestamp now) {
  is_blocked_ = false;
  while (!sealed_.empty()) {
    const auto [status, count] = connection_.send_datagrams(sealed_.datagrams(), out, now);
    sealed_.pop(count);
    // Fresh packets too: a super-packet of a TCP sender's is fifty of them at once.
    connection_.end_burst(now);
    switch (status) {
      case SendStatus::kSent: break;
      case SendStatus::kBlocked:
        is_blocked_ = true;
        limits_.set(
            connection_.path_state().is_window_full() ? SendLimit::kWindow : SendLimit::kPacing,
            now);
        return Step::kBlocked;
      case SendStatus::kFull:
        is_blocked_ = true;
        limits_.set(SendLimit::kSocket, now);
        return Step::kFull;
      case SendStatus::kClosed: sealed_.clear(); break;
      // The path has shrunk since it was sealed: lost, as any packet may be.
      case SendStatus::kTooBig: sealed_.pop(1); break;
    }
  }
  return Step::kDone;
}

// A probe that the connection does not take now is sealed anew later: nobody misses it.
Session::Step Session::send_path_probes(UdpSendQueue& out, Timestamp now) {
  if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  while (const std::size_t bytes = connection_.next_path_probe()) {
    if (sealer_.is_exhausted()) return Step::kBlocked;
    const MutableBytes probe = sealed_.free();
    wire::write_varint(probe, quarter_id_);
    const Bytes padding = Bytes(kPadding).first(packet_bytes_in(bytes));
    sealer_.seal(DatagramType::kPing, {}, padding, probe.subspan(quarter_bytes_));
    switch (connection_.send_path_probe(probe.first(bytes), out, now)) {
      case SendStatus::kSent: break;
      case SendStatus::kFull: return Step::kFull;
      default: return Step::kBlocked;
    }
  }
  return Step::kDone;
}

// make_room() was asked.
void Session::seal(DatagramType type, Bytes prefix, Bytes body) {
  const MutableBytes room = sealed_.free();
  wire::write_varint(room, quarter_id_);
  const std::size_t bytes =
      quarter_bytes_ + sealer_.seal(type, prefix, body, room.subspan(quarter_bytes_));
  sealed_.push(bytes);
  credit_ -= static_cast<std::int64_t>(bytes);
}

std::size_t Session::max_datagram_bytes() const {
  const std::size_t bytes = std::min(connection_.max_datagram_bytes(), plane::Bundle::kMaxBytes);
  return bytes - std::min(bytes, quarter_bytes_);
}

std::uint64_t Session::take_delivered_bytes() {
  const std::uint64_t delivered =
      connection_.path_state().delivered_bytes + (direct_ ? direct_->delivered_bytes() : 0);
  const std::uint64_t before = std::min(counted_delivered_bytes_, delivered);
  counted_delivered_bytes_ = delivered;
  return delivered - before;
}

void Session::send_close(SessionEnd reason, UdpSendQueue& out, Timestamp now) {
  if (!options_.caps.close || sealer_.is_exhausted()) return;
  sealed_.clear();  // the session is over: what still waited is lost
  const std::uint8_t byte = static_cast<std::uint8_t>(reason);
  seal(DatagramType::kClose, {}, {&byte, 1});
  send_sealed(out, now);
}

void Session::queue_pong(Bytes payload) {
  note_change();
  pong_bytes_ = std::min(payload.size(), pong_.size());
  append(pong_, payload.first(pong_bytes_));
  has_pong_to_send_ = true;
}

}  // namespace qdt::tunnel
