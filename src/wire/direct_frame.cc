#include "wire/direct_frame.h"

#include <cassert>
#include <optional>

#include "wire/fragment.h"
#include "wire/ip_packet.h"

namespace qdt::wire {
namespace {

// How long the IP packet at the start of `bytes` says that it is.
std::optional<std::size_t> packet_bytes(Bytes bytes) {
  switch (bytes[0] >> 4) {
    case 4:
      if (bytes.size() < kIpv4HeaderBytes) return std::nullopt;
      return load_be<std::uint16_t>(&bytes[2]);
    case 6:
      if (bytes.size() < kIpv6HeaderBytes) return std::nullopt;
      return kIpv6HeaderBytes + load_be<std::uint16_t>(&bytes[4]);
    default: return std::nullopt;
  }
}

}  // namespace

std::array<std::uint8_t, kFeedbackFrameBytes> encode_feedback(const Feedback& feedback) {
  std::array<std::uint8_t, kFeedbackFrameBytes> frame;
  frame[0] = static_cast<std::uint8_t>(DirectFrameType::kFeedback);
  store_be<std::uint64_t>(&frame[1], feedback.highest);
  store_be<std::uint32_t>(&frame[9], feedback.arrived_us);
  store_be<std::uint32_t>(&frame[13], feedback.held_us);
  store_be<std::uint32_t>(&frame[17], feedback.packets);
  store_be<std::uint64_t>(&frame[21], feedback.bytes);
  store_be<std::uint32_t>(&frame[29], feedback.marked);
  return frame;
}

Feedback decode_feedback(Bytes body) {
  assert(body.size() == kFeedbackFrameBytes - 1);
  return {.highest = load_be<std::uint64_t>(&body[0]),
          .arrived_us = load_be<std::uint32_t>(&body[8]),
          .held_us = load_be<std::uint32_t>(&body[12]),
          .packets = load_be<std::uint32_t>(&body[16]),
          .bytes = load_be<std::uint64_t>(&body[20]),
          .marked = load_be<std::uint32_t>(&body[28])};
}

std::array<std::uint8_t, kPingFrameBytes> encode_ping(DirectFrameType type,
                                                      const PingCookie& cookie) {
  std::array<std::uint8_t, kPingFrameBytes> frame;
  frame[0] = static_cast<std::uint8_t>(type);
  append(MutableBytes(frame).subspan(1), cookie);
  return frame;
}

std::expected<DirectFrame, Drop> take_direct_frame(MutableBytes& payload) {
  const auto take = [&](DirectFrameType type, std::size_t skip,
                        std::size_t bytes) -> std::expected<DirectFrame, Drop> {
    if (payload.size() < skip + bytes) return std::unexpected(Drop::kMalformed);
    const DirectFrame frame{type, payload.subspan(skip, bytes)};
    payload = payload.subspan(skip + bytes);
    return frame;
  };
  if (const auto bytes = packet_bytes(payload)) {
    if (*bytes < kIpv4HeaderBytes) return std::unexpected(Drop::kMalformed);
    return take(DirectFrameType::kPacket, 0, *bytes);
  }
  const std::size_t rest = payload.size() - 1;
  switch (payload[0]) {
    case 0: return take(DirectFrameType::kPadding, 1, rest);
    case 1:
      if (rest <= kFragmentHeaderBytes) return std::unexpected(Drop::kBadFragment);
      return take(DirectFrameType::kFragment, 1, rest);
    case 2: return take(DirectFrameType::kFeedback, 1, kFeedbackFrameBytes - 1);
    case 3: return take(DirectFrameType::kPing, 1, kPingFrameBytes - 1);
    case 4: return take(DirectFrameType::kPong, 1, kPingFrameBytes - 1);
    default: {
      const bool is_packet = payload[0] >> 4 == 4 || payload[0] >> 4 == 6;  // cut off
      return std::unexpected(is_packet ? Drop::kMalformed : Drop::kUnknownType);
    }
  }
}

}  // namespace qdt::wire
