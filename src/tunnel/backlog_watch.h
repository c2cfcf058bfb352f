#pragma once

#include <algorithm>
#include <cstddef>

#include "base/time.h"
#include "tunnel/codel.h"

namespace qdt::tunnel {

/// Tells when a packet must go from the queue before the tunnel, that of the TUN device. It takes
/// whatever comes while this host cannot keep up, up to 64 MB, and who sends by TCP fills it with a
/// window; a ping waits behind. CoDel's law (RFC 8289), but by the bytes that wait, since packets
/// bear no time there, and by their mean: a busy host's queue comes and goes with its turns on the
/// processor, so that its least is nothing while milliseconds wait in the mean. Pure: time goes in.
/// One thread.
class BacklogWatch {
 public:
  /// What may stand in the mean: half a millisecond at 4 Gbit/s, 20 at 100 Mbit/s. Measured with
  /// host and peer on a core each, one TCP stream: a ping of 1.0 ms instead of 3.7, and 4 streams
  /// 1.6 instead of 15; 512 KiB 1.4 and 2.0.
  static constexpr std::size_t kTargetBytes = 256 * 1024;
  /// Over how long the mean is taken.
  static constexpr Duration kMemory = 50ms;

  /// `waiting` bytes are there as a turn of reading begins. True: one of its packets must go, or be
  /// marked.
  bool begin_turn(std::size_t waiting, Timestamp now) {
    const Duration past = now - last_turn_;
    // It grew all the time; but a host that slept was woken when something came.
    const bool was_idle = left_bytes_ == 0 && past > kLongTurn;
    const double over = was_idle ? 0 : static_cast<double>(left_bytes_ + waiting) / 2;
    const double weight = static_cast<double>(std::min<Duration>(past, kMemory).count()) /
                          static_cast<double>(Duration(kMemory).count());
    mean_bytes_ += (over - mean_bytes_) * weight;
    last_turn_ = now;
    return codel_.condemns(mean_bytes_ > kTargetBytes, now);
  }
  /// The turn ended with so many.
  void end_turn(std::size_t waiting) { left_bytes_ = waiting; }

 private:
  // Longer than any turn takes, and than most hosts let somebody wait for a processor.
  static constexpr Duration kLongTurn = 10ms;

  Codel codel_;
  double mean_bytes_ = 0;
  std::size_t left_bytes_ = 0;
  Timestamp last_turn_;
};

}  // namespace qdt::tunnel
