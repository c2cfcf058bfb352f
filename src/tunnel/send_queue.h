#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace qdt::tunnel {

/// Buffers for packets that wait, shared by the sessions of a shard: what one session does not
/// need another may use. Grows by slabs up to its bound, never shrinks. One thread.
class PacketPool {
 public:
  /// `buffer_bytes` holds the largest packet; at most `max_buffers` are handed out.
  PacketPool(std::size_t buffer_bytes, std::size_t max_buffers)
      : buffer_bytes_(buffer_bytes), max_buffers_(max_buffers) {}

  std::size_t buffer_bytes() const { return buffer_bytes_; }
  /// Null when the bound is reached.
  std::uint8_t* take();
  void give_back(std::uint8_t* buffer) { free_.push_back(buffer); }

 private:
  static constexpr std::size_t kSlabBuffers = 64;

  std::size_t buffer_bytes_;
  std::size_t max_buffers_;
  std::size_t allocated_ = 0;
  std::vector<std::unique_ptr<std::uint8_t[]>> slabs_;
  std::vector<std::uint8_t*> free_;
};

/// The packets of one session that wait for its connection, first in, first out. Bounded: a packet
/// that finds it full is refused. One thread.
class SendQueue {
 public:
  SendQueue(PacketPool& pool, std::size_t max_packets);
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// Copies `packet` to the end; false when there is no room for it.
  bool push(Bytes packet);
  /// The oldest; not empty.
  Bytes front() const;
  void pop();

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

 private:
  struct Entry {
    std::uint8_t* buffer;
    std::size_t bytes;
  };

  PacketPool& pool_;
  std::size_t max_packets_;
  std::vector<Entry> ring_;  // grows to a power of two as needed, up to max_packets_
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace qdt::tunnel
