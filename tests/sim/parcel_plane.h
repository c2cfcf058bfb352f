#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "plane/plane.h"

namespace qdt::testing {

/// The least that a plane has to be: payloads with a number, a kind and a packet or a fragment, not
/// sealed at all. A few leave at a time, and the receiver puts them in order: one that came too
/// early waits for those before it, for kPatience at most.
class ParcelPlane {
 public:
  static constexpr std::size_t kMaxPacket = 500;  ///< that goes in one piece
  static constexpr std::size_t kPerTurn = 10;     ///< payloads that leave in each kTurn
  static constexpr Duration kTurn = 10ms;
  static constexpr Duration kPatience = 50ms;
  using Kind = plane::Piece::Kind;

  explicit ParcelPlane(const UdpPath& path) : path_(path) {}

  plane::Step send(Bytes packet, plane::Cut& cut, UdpSendQueue& out, Timestamp now) {
    for (; cut.offset < packet.size(); ++sent_) {
      if (now >= turn_ends_) {
        turn_ends_ = now + kTurn;
        sent_ = 0;
      }
      if (sent_ == kPerTurn) return plane::Step::kBlocked;
      if (!out.takes_packets()) return plane::Step::kFull;
      const bool is_whole = cut.offset == 0 && packet.size() <= kMaxPacket;
      const std::size_t most = is_whole ? kMaxPacket : kMaxPacket - wire::kFragmentHeaderBytes;
      const Bytes piece = packet.subspan(cut.offset, std::min(most, packet.size() - cut.offset));
      if (is_whole) push(Kind::kPacket, {}, piece, out);
      if (!is_whole) push(Kind::kFragment, cut.header(packet.size()), piece, out);
      cut.offset += piece.size();
      cut.sealed_bytes += kHeader + piece.size();
    }
    return plane::Step::kDone;
  }
  plane::Step flush(UdpSendQueue&, Timestamp) { return plane::Step::kDone; }
  bool has_something(Timestamp now) const { return next_timeout() <= now; }
  Timestamp next_timeout() const { return sent_ == kPerTurn ? turn_ends_ : kNever; }
  bool is_usable() const { return true; }
  plane::PacketLimits limits() const { return {.whole = kMaxPacket, .expected = kMaxPacket}; }
  plane::PathView view() const { return {}; }

  std::expected<plane::Piece, Drop> open(Bytes payload, MutableBytes slot, Timestamp now) {
    if (payload.size() < kHeader) return std::unexpected(Drop::kMalformed);
    const auto number = load_be<std::uint32_t>(&payload[0]);
    if (number < expected_) return std::unexpected(Drop::kReplayed);
    held_[number] = {{payload.begin(), payload.end()}, now + kPatience};
    return number == expected_ ? *deliver_due(slot, now) : plane::Piece{};
  }
  Timestamp next_delivery() const {
    if (held_.empty()) return kNever;
    return held_.begin()->first == expected_ ? Timestamp{} : held_.begin()->second.until;
  }
  std::optional<plane::Piece> deliver_due(MutableBytes slot, Timestamp now) {
    if (next_delivery() > now) return std::nullopt;
    const auto [number, held] = *held_.begin();
    held_.erase(held_.begin());
    expected_ = number + 1;
    const Bytes body = Bytes(held.payload).subspan(kHeader);
    append(slot, body);
    return plane::Piece{.kind = Kind{held.payload[4]}, .bytes = slot.first(body.size())};
  }
  void ping(UdpSendQueue&, Timestamp) {}
  void send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp) {
    push(Kind::kClose, {}, {&reason, 1}, out);
  }
  void close(std::string_view, Timestamp) {}
  void detach() {}

 private:
  static constexpr std::size_t kHeader = 5;
  struct Held {
    std::vector<std::uint8_t> payload;
    Timestamp until;
  };

  void push(Kind kind, Bytes header, Bytes piece, UdpSendQueue& out) {
    store_be<std::uint32_t>(&out.next_payload()[0], next_++);
    out.next_payload()[4] = static_cast<std::uint8_t>(kind);
    append(append(out.next_payload().subspan(kHeader), header), piece);
    out.push(path_, Ecn::kNotEct, kHeader + header.size() + piece.size());
  }

  UdpPath path_;
  std::uint32_t next_ = 0;
  std::size_t sent_ = 0;  // in this turn
  Timestamp turn_ends_;
  std::uint32_t expected_ = 0;
  std::map<std::uint32_t, Held> held_;
};

}  // namespace qdt::testing
