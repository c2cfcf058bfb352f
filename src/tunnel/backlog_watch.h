#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/time.h"
#include "tunnel/codel.h"
#include "tunnel/counters.h"

namespace qdt::tunnel {

/// Shortens the queue before the tunnel, that of the TUN device. It takes whatever comes while this
/// host cannot keep up, up to 64 MB, and a TCP sender fills it with its window; a ping waits
/// behind. CoDel's law (RFC 8289), but by the bytes that wait, since packets bear no time there,
/// and by their mean: a busy host's queue comes and goes with its turns on the processor, so that
/// its least is nothing while milliseconds wait in the mean. Pure: time goes in. One thread.
class BacklogWatch {
 public:
  /// The backlog that may stand in the mean, or what is read in kTargetTime where that is more: at
  /// 8 Gbit/s 384 KiB would be 0.4 ms, and cost throughput. 0.8 ms at 4 Gbit/s, 30 at 100 Mbit/s.
  /// Measured with host and peer on a core each: a ping beside one TCP stream takes 1.7 ms instead
  /// of 3.8, beside four 2.1 instead of 20 (256 KiB: 1.0 and 1.6, 512 KiB: 1.4 and 2.0, at a faster
  /// time of the machine).
  static constexpr std::size_t kTargetBytes = 384 * 1024;
  static constexpr Duration kTargetTime = 800us;
  /// Over how long the mean is taken.
  static constexpr Duration kMemory = 50ms;
  /// Smaller packets are never dropped: pings, calls, acknowledgements.
  static constexpr std::size_t kLargePacket = 512;

  /// `counters` outlives it.
  explicit BacklogWatch(Counters& counters) : counters_(counters) {}

  /// A turn of reading begins, and `waiting` bytes are there.
  void begin_turn(std::size_t waiting, Timestamp now);
  /// It has read `read` bytes and ended with so many that wait.
  void end_turn(std::size_t waiting, std::size_t read) {
    left_bytes_ = waiting;
    read_bytes_ = read;
  }

  /// To be asked of each packet of the turn, parsed or not. True: drop it, it is counted. One that
  /// understands ECN is marked instead.
  bool must_drop(MutableBytes packet) { return wants_drop_ && drop_or_mark(packet); }

 private:
  bool drop_or_mark(MutableBytes packet);

  Counters& counters_;
  Codel codel_;
  double mean_bytes_ = 0;
  double mean_read_bytes_ = 0;  // in kMemory
  std::size_t left_bytes_ = 0;
  std::size_t read_bytes_ = 0;
  Timestamp last_turn_;
  bool wants_drop_ = false;  // a large packet of this turn is to be dropped or marked
};

}  // namespace qdt::tunnel
