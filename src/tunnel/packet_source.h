#pragma once

#include <cstdint>
#include <span>

#include "access/byte_share.h"
#include "base/bytes.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/plane.h"
#include "tunnel/send_queue.h"

namespace qdt::tunnel {

/// The packets that a session's plane is to send, one after the other: those of a batch, before
/// which none waits, or those of the session's queue, as long as its turn lasts.
class PacketSource {
 public:
  PacketSource(std::span<const Bytes> batch, plane::Cut& cut) : batch_(batch), cut_(cut) {}
  /// `credit`: bytes that are left of the turn; `share`: the rate that packets keep to.
  PacketSource(SendQueue& queue, std::int64_t& credit, access::ByteShare& share, plane::Cut& cut)
      : queue_(&queue), credit_(&credit), share_(&share), cut_(cut) {}

  /// Sends what there is by `plane`, until that takes no more.
  template <plane::Plane P>
  plane::Step send_by(P& plane, UdpSendQueue& out, Timestamp now) {
    while (true) {
      const Bytes packet = front(now);
      if (packet.empty()) return plane::Step::kDone;
      const plane::Step step = plane.send(packet, cut_, out, now);
      if (credit_ != nullptr) *credit_ -= static_cast<std::int64_t>(cut_.sealed_bytes);
      cut_.sealed_bytes = 0;
      if (cut_.offset == packet.size()) pop(packet.size());
      if (step != plane::Step::kDone) return step;
    }
  }

  /// Those of the batch that are left, the first perhaps in part.
  std::span<const Bytes> rest() const { return batch_; }

 private:
  Bytes front(Timestamp now) {
    if (queue_ != nullptr) {
      return *credit_ > 0 && share_->may_send(now) ? queue_->front(now) : Bytes();
    }
    return batch_.empty() ? Bytes() : batch_.front();
  }
  void pop(std::size_t bytes) {
    cut_.offset = 0;
    if (queue_ != nullptr) {
      share_->spend(bytes);
      queue_->pop();
    } else {
      batch_ = batch_.subspan(1);
    }
  }

  std::span<const Bytes> batch_;
  SendQueue* queue_ = nullptr;
  std::int64_t* credit_ = nullptr;
  access::ByteShare* share_ = nullptr;
  plane::Cut& cut_;
};

}  // namespace qdt::tunnel
