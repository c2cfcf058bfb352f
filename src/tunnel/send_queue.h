#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/time.h"
#include "tunnel/codel.h"
#include "tunnel/counters.h"
#include "tunnel/packet_pool.h"

namespace qdt::tunnel {

/// The packets of one session that wait for its connection: FQ-CoDel (RFC 8290). Each flow has a
/// queue of its own, and they send in turn, a packet's worth of bytes each; a flow that has only
/// just come goes first, so that a ping, a query or a call does not wait behind a transfer. Packets
/// that stay too long are marked, if their flow understands ECN, or dropped from the head; when
/// there is no room, the flow with most bytes gives way, in the longest queue if the pool is full.
/// No flow is reordered. One thread.
class SendQueue final : private PacketPool::Holder {
 public:
  struct Options {
    std::size_t max_packets = 1024;
    std::size_t quantum_bytes = 1350;  ///< a flow's turn: a full packet
    std::uint64_t seed = 0;            ///< nobody outside can tell which flows share a queue
  };

  SendQueue(PacketPool& pool, const Options& options, Counters& counters);
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// Copies `packet` to the end of its flow's queue; `flow` is wire::flow_hash() of it. False when
  /// it was dropped: it is too large, or there is no memory. Others that are dropped to make room
  /// are counted.
  bool push(Bytes packet, std::uint64_t flow, Timestamp now);

  /// The packet whose turn it is; the same until pop(), so that it may be sent in pieces. Empty
  /// when nothing waits.
  Bytes front(Timestamp now);
  /// Forgets front(): it was sent.
  void pop();

  /// While true, packets that wait too long are neither marked nor dropped; nor are they afterwards
  /// for having waited meanwhile.
  void pause_dropping(bool is_paused) { is_dropping_paused_ = is_paused; }

  /// What leaves the queue has this rate, in bytes a second: a flow with fewer packets than TCP
  /// needs to get over a loss without a timeout keeps them, as long as they are a tenth of a
  /// second's worth at most. 0: another rate, which nobody knows.
  void use_rate(double bytes_per_second);

  /// Drops what has waited since before `time`, but for the packet at hand.
  void drop_older_than(Timestamp time);

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

  /// Packets that were dropped here, since the beginning.
  std::uint64_t dropped() const { return dropped_; }

  /// The least that a packet has waited since the last call: a queue that stood all the time.
  Duration take_standing_delay();

  /// Gives the places of flows back, 12 KiB, where nothing has come since the last call.
  void shrink();

 private:
  // Powers of two. A flow's hash says which set it belongs to, and there it has a place of its own
  // as long as one is free: with a table of as many single places, a ping beside 16 transfers would
  // share the queue of one of them in an eighth of all cases.
  static constexpr std::size_t kSets = 16;
  static constexpr std::size_t kPlaces = 8;

  struct Flow {
    std::uint64_t hash = 0;  // mixed with the seed
    QueuedPacket* first = nullptr;
    QueuedPacket* last = nullptr;
    Flow* next = nullptr;  // of the list that it is in
    std::size_t bytes = 0;
    std::int64_t credit = 0;
    Codel codel;
    bool is_listed = false;
    std::size_t overflow_packets = 0;  // packets of flows that found no place of their own
  };
  // Flows in the order of their turns.
  struct FlowList {
    Flow* first = nullptr;
    Flow* last = nullptr;
    void push(Flow& flow);
    Flow& pop();
  };

  Flow& place_of(std::uint64_t hash);
  QueuedPacket* take_next(Timestamp now);
  QueuedPacket* take_from(Flow& flow, Timestamp now);
  QueuedPacket* unlink_first(Flow& flow);
  void give_way() override;
  Flow* largest_flow();
  bool drop_from_largest();
  void discard(QueuedPacket* packet, Drop reason);
  void set_count(std::size_t count) {
    count_ = count;
    pool_.note(*this, count);
  }

  PacketPool& pool_;
  Options options_;
  Counters& counters_;
  std::unique_ptr<Flow[]> flows_;  // while it is in use
  bool was_used_ = false;          // since shrink()
  FlowList new_flows_;
  FlowList old_flows_;
  std::size_t count_ = 0;  // the packet at hand included
  QueuedPacket* front_ = nullptr;

  std::size_t kept_bytes_;  // of a flow: what stays, however long it waits
  bool is_dropping_paused_ = false;
  std::uint64_t dropped_ = 0;

  Duration standing_delay_ = Duration::max();
};

}  // namespace qdt::tunnel
