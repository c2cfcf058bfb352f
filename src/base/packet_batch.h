#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace qdt {

/// The largest IP packet there can be (RFC 791, RFC 8200 without jumbograms).
inline constexpr std::size_t kMaxPacketBytes = 65535;

/// IP packets that are handled together, in order, in one block of memory that is allocated once.
/// Filled by reserve() and commit(), read by index, emptied by clear(). One thread.
class PacketBatch {
 public:
  static constexpr std::size_t kMaxPackets = 128;
  /// Room for kMaxPackets of common size, or for a few of the largest.
  static constexpr std::size_t kArenaBytes = 4 * 65536;

  PacketBatch() : arena_(std::make_unique_for_overwrite<std::uint8_t[]>(kArenaBytes)) {
    packets_.reserve(kMaxPackets);
  }

  bool has_room(std::size_t bytes) const {
    return packets_.size() < kMaxPackets && used_ + bytes <= kArenaBytes;
  }

  /// Memory for the next packet, valid until the next reserve() or clear(). has_room() was asked.
  MutableBytes reserve(std::size_t bytes) {
    assert(has_room(bytes));
    return {arena_.get() + used_, bytes};
  }

  /// Makes the first `bytes` of what was reserved a packet of the batch.
  MutableBytes commit(std::size_t bytes) {
    assert(has_room(bytes));
    packets_.push_back({arena_.get() + used_, bytes});
    used_ += (bytes + kAlignment - 1) & ~(kAlignment - 1);
    return packets_.back();
  }

  /// Copies `packet` in. has_room() was asked.
  void push(Bytes packet) {
    append(reserve(packet.size()), packet);
    commit(packet.size());
  }

  std::size_t size() const { return packets_.size(); }
  bool empty() const { return packets_.empty(); }
  MutableBytes operator[](std::size_t i) const { return packets_[i]; }
  auto begin() const { return packets_.begin(); }
  auto end() const { return packets_.end(); }

  void clear() {
    packets_.clear();
    used_ = 0;
  }

 private:
  static constexpr std::size_t kAlignment = 16;

  std::unique_ptr<std::uint8_t[]> arena_;
  std::size_t used_ = 0;
  std::vector<MutableBytes> packets_;
};

}  // namespace qdt
