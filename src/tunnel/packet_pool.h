#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "tunnel/queue_lengths.h"

namespace qdt::tunnel {

/// A packet that waits: its bytes follow it in memory.
struct QueuedPacket {
  QueuedPacket* next = nullptr;  ///< of a list that it is in
  Timestamp queued_at;
  std::size_t size = 0;
  bool is_overflow = false;  ///< SendQueue: queued in the place of another flow

  MutableBytes bytes() { return {reinterpret_cast<std::uint8_t*>(this + 1), size}; }
};

/// Memory for packets that wait, shared by the sessions of a shard: what one session does not need
/// another may use; at the bound the longest queues give way. Grows by slabs up to its bound, never
/// shrinks. One thread.
class PacketPool {
 public:
  /// A queue that holds packets of the pool.
  class Holder : public QueueLengths::Place {
   public:
    /// Gives some of its packets back, as it is one of those that hold most.
    virtual void give_way() = 0;

   protected:
    ~Holder() = default;
  };

  /// At most `max_packets` of at most `max_packet_bytes` are handed out.
  PacketPool(std::size_t max_packet_bytes, std::size_t max_packets);
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  std::size_t max_packet_bytes() const { return max_packet_bytes_; }
  /// A packet whose size and bytes are the caller's to set. At the bound one of those that hold
  /// most gives way first, perhaps the caller; null when nobody holds enough for that.
  QueuedPacket* take();
  void give_back(QueuedPacket* packet);
  /// `holder` has so many packets now: to be told when that changes, and 0 at its end.
  void note(Holder& holder, std::size_t packets) { lengths_.set(holder, packets); }

 private:
  bool make_room();

  static constexpr std::size_t kSlabPackets = 64;

  std::size_t max_packet_bytes_;
  std::size_t stride_;
  std::size_t max_packets_;
  std::size_t allocated_ = 0;
  std::vector<std::unique_ptr<std::uint8_t[]>> slabs_;
  QueuedPacket* free_ = nullptr;
  QueueLengths lengths_;
};

}  // namespace qdt::tunnel
