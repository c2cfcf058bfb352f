#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/udp_burst.h"

namespace qdt::plane {

/// Sealed datagrams that are to share a QUIC packet, so that small inner packets cost one outer
/// packet together, and no more than one packet's worth of them. Stays put; one thread.
class Bundle {
 public:
  static constexpr std::size_t kMaxBytes = UdpSendQueue::kMaxPayloadBytes;
  static constexpr std::size_t kMaxDatagrams = 24;

  Bundle() = default;
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  bool empty() const { return first_ == count_; }

  /// Whether a datagram of `bytes` may join, where one alone may have `limit` bytes.
  bool has_room(std::size_t bytes, std::size_t limit) const {
    const std::size_t frames = count_ * kFrameBytes;
    return count_ < kMaxDatagrams && used_ + frames + bytes <= std::min(limit, kMaxBytes);
  }

  /// Where the next datagram is to be written.
  MutableBytes free() { return MutableBytes(memory_).subspan(used_); }
  /// Takes the first `bytes` of free() as a datagram.
  void push(std::size_t bytes) {
    assert(count_ < kMaxDatagrams && bytes > 0 && used_ + bytes <= kMaxBytes);
    datagrams_[count_++] = {memory_.data() + used_, bytes};
    used_ += bytes;
  }

  /// Those that wait, in order.
  std::span<const Bytes> datagrams() const {
    return std::span(datagrams_).subspan(first_, count_ - first_);
  }
  /// Forgets the first `count` of them.
  void pop(std::size_t count) {
    first_ += count;
    if (empty()) clear();
  }
  void clear() { first_ = count_ = used_ = 0; }

 private:
  static constexpr std::size_t kFrameBytes = 3;  // a DATAGRAM frame's type and length

  std::array<std::uint8_t, kMaxBytes> memory_;
  std::array<Bytes, kMaxDatagrams> datagrams_;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::size_t first_ = 0;
};

}  // namespace qdt::plane
