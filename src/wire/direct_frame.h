#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.h"
#include "base/drop.h"

namespace qdt::wire {

/// The report of arrivals from receiver to sender (docs/protocol-v1.md section 7).
struct Feedback {
  std::uint64_t highest = 0;     ///< counter
  std::uint32_t arrived_us = 0;  ///< when `highest` did, by the receiver's clock
  std::uint32_t held_us = 0;     ///< since then
  std::uint32_t packets = 0;     ///< that have arrived, modulo 2^32
  std::uint64_t bytes = 0;       ///< of these, header and tag included
  std::uint32_t marked = 0;      ///< of these, with congestion experienced, modulo 2^32

  bool operator==(const Feedback&) const = default;
};

inline constexpr std::size_t kFeedbackFrameBytes = 33;
std::array<std::uint8_t, kFeedbackFrameBytes> encode_feedback(const Feedback& feedback);

/// The mark that pairs a ping with its pong.
using PingCookie = std::array<std::uint8_t, 8>;
inline constexpr std::size_t kPingFrameBytes = 1 + 8;

enum class DirectFrameType : std::uint8_t {
  kPadding = 0,
  kFragment = 1,
  kFeedback = 2,
  kPing = 3,
  kPong = 4,
  kPacket,  ///< on the wire its own first byte
};
std::array<std::uint8_t, kPingFrameBytes> encode_ping(DirectFrameType type,
                                                      const PingCookie& cookie);

/// Frames that one payload may have.
inline constexpr std::size_t kMaxDirectFrames = 32;

/// One frame of a payload: its type, and its body without the type byte. A packet's body is the
/// packet, of the length that its header tells; nothing else of it has been checked.
struct DirectFrame {
  DirectFrameType type;
  MutableBytes body;
};

/// Takes the first frame off `payload`, which is not empty.
std::expected<DirectFrame, Drop> take_direct_frame(MutableBytes& payload);
/// Reads the body of a feedback frame.
Feedback decode_feedback(Bytes body);

}  // namespace qdt::wire
