#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "tunnel/counters.h"

namespace qdt::tunnel {

class Session;

/// What all sessions of a shard do together, gathered from one after the other.
class SessionSums {
 public:
  /// `delivered_bytes`: since it was looked at last.
  void add(Session& session, std::uint64_t delivered_bytes);
  /// Sets the gauges of what was added, which was done in `time`, and begins again.
  void publish(Counters& counters, Duration time);

 private:
  std::size_t queued_ = 0;
  std::size_t direct_ = 0;
  std::size_t shaped_ = 0;
  double shaped_rate_ = 0;
  std::uint64_t asked_rate_ = 0;
  Duration path_queue_{};
  Duration queue_delay_{};
  std::size_t tunnel_mtu_ = SIZE_MAX;
  std::uint64_t delivered_bytes_ = 0;
  Timestamp heard_at_;
  std::vector<std::uint64_t> rtts_;  // microseconds
  std::vector<std::uint64_t> windows_;
};

/// The round over all sessions, by index from the last to the first, in slices that are spread over
/// a second: a look at ten thousand sessions takes 10 ms and more, at a slice 0.1 ms. Pure. One
/// thread.
class Sweep {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(1);
  /// So many are looked at in one go.
  static constexpr std::size_t kSlice = 64;

  bool is_over() const { return left_ == 0; }
  void begin(std::size_t sessions, Timestamp now) {
    left_ = sessions;
    began_ = now;
    slice_period_ = kPeriod / static_cast<Duration::rep>(
                                  std::max<std::size_t>(1, (sessions + kSlice - 1) / kSlice));
  }
  Timestamp began() const { return began_; }
  /// How many to look at now, of the `sessions` that there are: some may have gone.
  std::size_t take_slice(std::size_t sessions) {
    left_ = std::min(left_, sessions);
    return std::min(left_, kSlice);
  }
  /// The index of the next one.
  std::size_t next() { return --left_; }
  Timestamp next_slice(Timestamp now) const { return now + slice_period_; }

  SessionSums& sums() { return sums_; }

 private:
  std::size_t left_ = 0;
  Timestamp began_;
  Duration slice_period_ = kPeriod;
  SessionSums sums_;
};

}  // namespace qdt::tunnel
