#include "tunnel/session.h"

#include <algorithm>
#include <cassert>

#include "wire/varint.h"

namespace qdt::tunnel {
namespace {

using wire::DatagramType;
using SendStatus = quic::Connection::SendStatus;

// A path that leaves less than this for a datagram cannot carry IPv4's smallest MTU in fragments
// that make sense; QUIC itself needs 1200 bytes.
constexpr std::size_t kMinDatagramBytes = 256;

const wire::DirectionKey& our_key(const SessionOptions& options) {
  return options.role == quic::Role::kServer ? options.keys.server : options.keys.client;
}

const wire::DirectionKey& their_key(const SessionOptions& options) {
  return options.role == quic::Role::kServer ? options.keys.client : options.keys.server;
}

}  // namespace

Session::Session(const SessionOptions& options, quic::Connection& connection, quic::StreamId stream,
                 PacketPool& pool, Timestamp now)
    : opener(options.id, their_key(options)),
      reassembler(options.max_reassembly_bytes),
      send_limit(options.rate_limit, now),
      receive_limit(options.rate_limit, now),
      last_packet(now),
      options_(options),
      connection_(connection),
      stream_(stream),
      opened_at_(now),
      sealer_(options.id, our_key(options)),
      queue_(pool, options.send_queue) {
  // Every datagram begins with the same quarter stream ID: write it once.
  quarter_bytes_ = wire::write_varint(sealed_, quic::Connection::quarter_id(stream));
}

bool Session::send(Bytes packet, UdpSendQueue& out, Timestamp now) {
  if (has_backlog()) return queue_.push(packet);

  std::size_t offset = 0;
  transmit(packet, offset, out, now);
  if (offset == packet.size()) return true;  // sent, or sealed and waiting in sealed_
  front_offset_ = offset;
  return queue_.push(packet);
}

Session::Progress Session::flush(std::size_t max_packets, UdpSendQueue& out, Timestamp now) {
  const auto progress = [](Step step) {
    return step == Step::kBlocked ? Progress::kBlocked : Progress::kFull;
  };
  if (sealed_bytes_ > 0) {
    if (const Step step = send_sealed(out, now); step != Step::kDone) return progress(step);
  }
  if (owes_pong_) {
    owes_pong_ = false;
    seal(DatagramType::kPong, {}, Bytes(pong_).first(pong_bytes_));
    if (const Step step = send_sealed(out, now); step != Step::kDone) return progress(step);
  }
  for (std::size_t sent = 0; !queue_.empty(); ++sent) {
    if (sent == max_packets) return Progress::kTurnOver;
    const Bytes packet = queue_.front();
    const Step step = transmit(packet, front_offset_, out, now);
    if (front_offset_ == packet.size()) {
      queue_.pop();
      front_offset_ = 0;
    }
    if (step != Step::kDone) return progress(step);
    // What has waited leaves by the quantum; only fresh packets leave as they come.
    connection_.end_burst(now);
  }
  return Progress::kIdle;
}

// Seals and sends `packet` from `offset` on, in one Data datagram where it fits, else in fragments.
// Advances `offset` past what is sent or sealed.
Session::Step Session::transmit(Bytes packet, std::size_t& offset, UdpSendQueue& out,
                                Timestamp now) {
  while (offset < packet.size()) {
    const std::size_t limit = max_datagram_bytes();
    if (limit < kMinDatagramBytes || sealer_.is_exhausted()) return Step::kBlocked;

    if (offset == 0 && wire::fits_one_datagram(packet.size(), limit)) {
      seal(DatagramType::kData, {}, packet);
      offset = packet.size();
    } else {
      if (offset == 0) ++fragment_id_;
      const std::size_t bytes = std::min(limit - wire::kFragmentOverhead, packet.size() - offset);
      const auto header =
          wire::encode_fragment_header({.id = fragment_id_,
                                        .offset = static_cast<std::uint32_t>(offset),
                                        .total = static_cast<std::uint32_t>(packet.size())});
      seal(DatagramType::kFragment, header, packet.subspan(offset, bytes));
      offset += bytes;
    }
    if (const Step step = send_sealed(out, now); step != Step::kDone) return step;
  }
  return Step::kDone;
}

Session::Step Session::send_sealed(UdpSendQueue& out, Timestamp now) {
  const auto status = connection_.send_datagram(Bytes(sealed_).first(sealed_bytes_), out, now);
  switch (status) {
    case SendStatus::kBlocked: return Step::kBlocked;
    case SendStatus::kFull: return Step::kFull;
    case SendStatus::kSent:
    case SendStatus::kClosed:
    case SendStatus::kTooBig:  // the path has shrunk since it was sealed: lost, as any packet may
                               // be
      break;
  }
  sealed_bytes_ = 0;
  return Step::kDone;
}

void Session::seal(DatagramType type, Bytes prefix, Bytes body) {
  assert(sealed_bytes_ == 0);
  const MutableBytes room = MutableBytes(sealed_).subspan(quarter_bytes_);
  sealed_bytes_ = quarter_bytes_ + sealer_.seal(type, prefix, body, room);
}

std::size_t Session::max_datagram_bytes() const {
  const std::size_t bytes = std::min(connection_.max_datagram_bytes(), kMaxSealedBytes);
  return bytes - std::min(bytes, quarter_bytes_);
}

void Session::send_close(SessionEnd reason, UdpSendQueue& out, Timestamp now) {
  if (!options_.caps.close || sealer_.is_exhausted()) return;
  sealed_bytes_ = 0;  // the session is over: what still waited is lost
  const std::uint8_t byte = static_cast<std::uint8_t>(reason);
  seal(DatagramType::kClose, {}, {&byte, 1});
  send_sealed(out, now);
}

void Session::owe_pong(Bytes payload) {
  pong_bytes_ = std::min(payload.size(), pong_.size());
  append(pong_, payload.first(pong_bytes_));
  owes_pong_ = true;
}

}  // namespace qdt::tunnel
