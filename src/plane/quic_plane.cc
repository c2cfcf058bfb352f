#include "plane/quic_plane.h"

namespace qdt::plane {
namespace {

using wire::DatagramType;
using SendStatus = quic::Connection::SendStatus;

// A path that leaves less than this for a datagram cannot carry IPv4's smallest MTU in fragments
// that make sense; QUIC itself needs 1200 bytes.
constexpr std::size_t kMinDatagramBytes = 256;
// The size of a bare IPv4 header: where less is free, no packet can join.
constexpr std::size_t kSmallestPacketBytes = 20;
// The filling of a Ping that probes the path.
constexpr std::array<std::uint8_t, UdpSendQueue::kMaxPayloadBytes> kPadding{};

QuicCodec codec_of(const QuicPlane::Options& options) {
  if (options.contexts) return {options.role, *options.contexts};
  return {options.role, options.id, options.keys};
}

}  // namespace

static_assert(Base<QuicPlane>);

QuicPlane::QuicPlane(const Options& options, quic::Connection& connection, quic::StreamId stream)
    : caps_(options.caps),
      connection_(connection),
      stream_(stream),
      quarter_id_(quic::Connection::quarter_id(stream)),
      quarter_bytes_(wire::varint_bytes(quarter_id_)),
      codec_(codec_of(options)) {}

// In one datagram where it fits. What fits none is lost where the peer takes no fragments: the path
// has shrunk since the forwarder looked, or another plane had begun the packet.
Step QuicPlane::send(Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now) {
  while (cut.offset < packet.size()) {
    const std::size_t limit = max_datagram_bytes();
    if (limit < kMinDatagramBytes || codec_.is_exhausted()) return Step::kBlocked;

    const bool is_whole =
        cut.offset == 0 && packet.size() + codec_.overhead(DatagramType::kData) <= limit;
    if (!is_whole && !codec_.cuts_packets()) {
      cut.offset = packet.size();
      break;
    }
    const DatagramType type = is_whole ? DatagramType::kData : DatagramType::kFragment;
    const std::size_t bytes =
        is_whole ? packet.size()
                 : std::min(limit - codec_.fragment_overhead(), packet.size() - cut.offset);
    const std::size_t prefix_bytes = is_whole ? 0 : wire::kFragmentHeaderBytes;
    if (const Step step = make_room(type, prefix_bytes + bytes, out, now); step != Step::kDone) {
      return step;
    }
    cut.sealed_bytes +=
        is_whole ? seal(type, {}, packet)
                 : seal(type, cut.header(packet.size()), packet.subspan(cut.offset, bytes));
    cut.offset += bytes;
    const std::size_t smallest_bytes =
        quarter_bytes_ + codec_.overhead(DatagramType::kData) + kSmallestPacketBytes;
    if (sealed_.has_room(smallest_bytes, connection_.max_datagram_bytes())) continue;
    if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  }
  return Step::kDone;
}

Step QuicPlane::flush(UdpSendQueue& out, Timestamp now) {
  if (has_pong_to_send_) {
    if (const Step step = make_room(DatagramType::kPong, pong_bytes_, out, now);
        step != Step::kDone) {
      return step;
    }
    has_pong_to_send_ = false;
    seal(DatagramType::kPong, {}, Bytes(pong_).first(pong_bytes_));
  }
  if (connection_.next_path_probe() > 0) {
    if (const Step step = send_path_probes(out, now); step != Step::kDone) return step;
  }
  return send_sealed(out, now);
}

// Sends what is sealed if a datagram of so much content could not join it.
Step QuicPlane::make_room(DatagramType type, std::size_t content_bytes, UdpSendQueue& out,
                          Timestamp now) {
  const std::size_t bytes = quarter_bytes_ + codec_.overhead(type) + content_bytes;
  if (sealed_.empty() || sealed_.has_room(bytes, connection_.max_datagram_bytes())) {
    return Step::kDone;
  }
  return send_sealed(out, now);
}

Step QuicPlane::send_sealed(UdpSendQueue& out, Timestamp now) {
  while (!sealed_.empty()) {
    const auto [status, count] = connection_.send_datagrams(sealed_.datagrams(), out, now);
    sealed_.pop(count);
    // Fresh packets too: a super-packet of a TCP sender's is fifty of them at once.
    connection_.end_burst(now);
    switch (status) {
      case SendStatus::kSent: break;
      case SendStatus::kBlocked: return Step::kBlocked;
      case SendStatus::kFull: return Step::kFull;
      case SendStatus::kClosed: sealed_.clear(); break;
      // The path has shrunk since it was sealed: lost, as any packet may be.
      case SendStatus::kTooBig: sealed_.pop(1); break;
    }
  }
  return Step::kDone;
}

// A Ping that is too long to be answered. To a plain CONNECT-IP peer it is of an unknown context,
// which it has to drop (RFC 9484 section 6): QUIC's acknowledgement is all that a probe wants. The
// engine's own discovery would do for what a path carries at first, but never notices that large
// packets begin to vanish. A probe that the connection does not take now is sealed anew later:
// nobody misses it.
Step QuicPlane::send_path_probes(UdpSendQueue& out, Timestamp now) {
  if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  while (const std::size_t bytes = connection_.next_path_probe()) {
    if (codec_.is_exhausted()) return Step::kBlocked;
    const MutableBytes probe = sealed_.free();
    wire::write_varint(probe, quarter_id_);
    const std::size_t overhead = quarter_bytes_ + codec_.overhead(DatagramType::kPing);
    const Bytes padding = Bytes(kPadding).first(bytes - overhead);
    codec_.seal(DatagramType::kPing, {}, padding, probe.subspan(quarter_bytes_));
    switch (connection_.send_path_probe(probe.first(bytes), out, now)) {
      case SendStatus::kSent: break;
      case SendStatus::kFull: return Step::kFull;
      default: return Step::kBlocked;
    }
  }
  return Step::kDone;
}

// make_room() was asked.
std::size_t QuicPlane::seal(DatagramType type, Bytes prefix, Bytes body) {
  const MutableBytes room = sealed_.free();
  wire::write_varint(room, quarter_id_);
  const std::size_t bytes =
      quarter_bytes_ + codec_.seal(type, prefix, body, room.subspan(quarter_bytes_));
  sealed_.push(bytes);
  return bytes;
}

std::size_t QuicPlane::max_datagram_bytes() const {
  const std::size_t bytes = std::min(connection_.max_datagram_bytes(), Bundle::kMaxBytes);
  return bytes - std::min(bytes, quarter_bytes_);
}

PathView QuicPlane::view() const {
  const quic::PathState state = connection_.path_state();
  return {.rtt = state.smoothed_rtt,
          .window_bytes = state.window_bytes,
          .is_window_full = state.is_window_full(),
          .delivered_bytes = state.delivered_bytes,
          .heard_at = connection_.heard_at()};
}

std::expected<Piece, Drop> QuicPlane::open(Bytes datagram, MutableBytes slot, Timestamp) {
  const auto opened = codec_.open(datagram, slot);
  if (!opened) return std::unexpected(opened.error());

  Piece piece{.bytes = slot.first(opened->bytes), .mark = connection_.arrival_mark()};
  switch (opened->type) {
    case DatagramType::kData: piece.kind = Piece::Kind::kPacket; return piece;
    case DatagramType::kFragment: piece.kind = Piece::Kind::kFragment; return piece;
    case DatagramType::kPing:
      // A plain peer expects nothing: its own kind drops Ping silently.
      if (caps_.ping && piece.bytes.size() <= wire::kMaxControlBytes) queue_pong(piece.bytes);
      return piece;
    case DatagramType::kPong: return piece;
    case DatagramType::kClose:
      if (!caps_.close) break;
      piece.kind = Piece::Kind::kClose;
      return piece;
  }
  return std::unexpected(Drop::kUnknownType);
}

// At the next flush().
void QuicPlane::queue_pong(Bytes payload) {
  pong_bytes_ = std::min(payload.size(), pong_.size());
  append(pong_, payload.first(pong_bytes_));
  has_pong_to_send_ = true;
}

void QuicPlane::ping(UdpSendQueue& out, Timestamp now) {
  if (codec_.is_exhausted() || make_room(DatagramType::kPing, 0, out, now) != Step::kDone) return;
  seal(DatagramType::kPing, {}, {});
  send_sealed(out, now);
}

void QuicPlane::send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp now) {
  if (!caps_.close || codec_.is_exhausted()) return;
  sealed_.clear();
  seal(DatagramType::kClose, {}, {&reason, 1});
  send_sealed(out, now);
}

void QuicPlane::detach() {
  connection_.owner = nullptr;
  connection_.set_datagram_sink(stream_, {});
}

}  // namespace qdt::plane
