#include "plane/quic_plane.h"

namespace qdt::plane {
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

const wire::DirectionKey& our_key(const QuicPlane::Options& options) {
  return options.role == Role::kServer ? options.keys.server : options.keys.client;
}

const wire::DirectionKey& their_key(const QuicPlane::Options& options) {
  return options.role == Role::kServer ? options.keys.client : options.keys.server;
}

}  // namespace

static_assert(Base<QuicPlane>);

QuicPlane::QuicPlane(const Options& options, quic::Connection& connection, quic::StreamId stream)
    : caps_(options.caps),
      connection_(connection),
      stream_(stream),
      quarter_id_(quic::Connection::quarter_id(stream)),
      quarter_bytes_(wire::varint_bytes(quarter_id_)),
      sealer_(options.id, our_key(options)),
      opener_(options.id, their_key(options)) {}

// In one Data datagram where it fits.
Step QuicPlane::send(Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now) {
  while (cut.offset < packet.size()) {
    const std::size_t limit = max_datagram_bytes();
    if (limit < kMinDatagramBytes || sealer_.is_exhausted()) return Step::kBlocked;

    const bool is_whole = cut.offset == 0 && wire::fits_one_datagram(packet.size(), limit);
    const std::size_t bytes =
        is_whole ? packet.size()
                 : std::min(limit - wire::kFragmentOverhead, packet.size() - cut.offset);
    const std::size_t prefix_bytes = is_whole ? 0 : wire::kFragmentHeaderBytes;
    if (const Step step = make_room(prefix_bytes + bytes, out, now); step != Step::kDone) {
      return step;
    }
    cut.sealed_bytes += is_whole ? seal(DatagramType::kData, {}, packet)
                                 : seal(DatagramType::kFragment, cut.header(packet.size()),
                                        packet.subspan(cut.offset, bytes));
    cut.offset += bytes;
    if (sealed_.has_room(kSmallestDatagramBytes, connection_.max_datagram_bytes())) continue;
    if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  }
  return Step::kDone;
}

Step QuicPlane::flush(UdpSendQueue& out, Timestamp now) {
  if (has_pong_to_send_) {
    if (const Step step = make_room(pong_bytes_, out, now); step != Step::kDone) return step;
    has_pong_to_send_ = false;
    seal(DatagramType::kPong, {}, Bytes(pong_).first(pong_bytes_));
  }
  if (connection_.next_path_probe() > 0) {
    if (const Step step = send_path_probes(out, now); step != Step::kDone) return step;
  }
  return send_sealed(out, now);
}

// Sends what is sealed if a datagram of so much plaintext could not join it.
Step QuicPlane::make_room(std::size_t plaintext_bytes, UdpSendQueue& out, Timestamp now) {
  const std::size_t bytes = quarter_bytes_ + wire::kDatagramOverhead + plaintext_bytes;
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

// A probe that the connection does not take now is sealed anew later: nobody misses it.
Step QuicPlane::send_path_probes(UdpSendQueue& out, Timestamp now) {
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
std::size_t QuicPlane::seal(DatagramType type, Bytes prefix, Bytes body) {
  const MutableBytes room = sealed_.free();
  wire::write_varint(room, quarter_id_);
  const std::size_t bytes =
      quarter_bytes_ + sealer_.seal(type, prefix, body, room.subspan(quarter_bytes_));
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
  const auto opened = opener_.open(datagram, slot);
  if (!opened) return std::unexpected(opened.error());

  Piece piece{.bytes = slot.first(opened->bytes), .mark = connection_.arrival_mark()};
  switch (opened->type) {
    case DatagramType::kData: piece.kind = Piece::Kind::kPacket; return piece;
    case DatagramType::kFragment: piece.kind = Piece::Kind::kFragment; return piece;
    case DatagramType::kPing:
      // A plain v1 peer expects nothing: its own kind drops Ping silently.
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
  if (sealer_.is_exhausted() || make_room(0, out, now) != Step::kDone) return;
  seal(DatagramType::kPing, {}, {});
  send_sealed(out, now);
}

void QuicPlane::send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp now) {
  if (!caps_.close || sealer_.is_exhausted()) return;
  sealed_.clear();
  seal(DatagramType::kClose, {}, {&reason, 1});
  send_sealed(out, now);
}

void QuicPlane::detach() {
  connection_.owner = nullptr;
  connection_.set_datagram_sink(stream_, {});
}

}  // namespace qdt::plane
