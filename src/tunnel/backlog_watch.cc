#include "tunnel/backlog_watch.h"

#include <algorithm>

#include "wire/ecn.h"

namespace qdt::tunnel {
namespace {

// Longer than any turn takes. After a shorter time what is found has grown all along: this thread
// was busy, or kept from the processor, or else it would have been woken by the first packet.
constexpr Duration kLongTurn = 10ms;

}  // namespace

void BacklogWatch::begin_turn(std::size_t waiting, Timestamp now) {
  const Duration past = now - last_turn_;
  last_turn_ = now;
  const bool was_idle = left_bytes_ == 0 && past > kLongTurn;
  const double between = was_idle ? 0 : static_cast<double>(left_bytes_ + waiting) / 2;
  const double weight = static_cast<double>(std::min<Duration>(past, kMemory).count()) /
                        static_cast<double>(Duration(kMemory).count());
  mean_bytes_ += (between - mean_bytes_) * weight;
  mean_read_bytes_ += static_cast<double>(read_bytes_) - mean_read_bytes_ * weight;
  constexpr double kShare =
      static_cast<double>(kTargetTime.count()) / static_cast<double>(Duration(kMemory).count());
  const double target = std::max<double>(kTargetBytes, mean_read_bytes_ * kShare);
  wants_drop_ = codel_.should_drop(mean_bytes_ > target, now);
}

bool BacklogWatch::drop_or_mark(MutableBytes packet) {
  if (packet.size() < kLargePacket) return false;
  wants_drop_ = false;
  // Longer than any header, so that even nonsense can be marked.
  if (wire::mark_congestion(packet)) {
    counters_.tun_congestion_marks.add();
    return false;
  }
  counters_.drops.count(Drop::kTunQueueDelay);
  return true;
}

}  // namespace qdt::tunnel
