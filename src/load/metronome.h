#pragma once

#include <cstddef>

#include "base/time.h"

namespace qdt::load {

/// Says how often something is due, so many times a second, evenly. A value; one thread.
class Metronome {
 public:
  /// `per_second` 0: never.
  explicit Metronome(double per_second)
      : period_(per_second <= 0 ? Duration::zero()
                                : Duration(static_cast<Duration::rep>(1e9 / per_second))) {}

  void start(Timestamp now) {
    if (period_ > Duration::zero()) next_ = now;
  }
  void stop() { next_ = kNever; }
  Timestamp next() const { return next_; }

  /// How often since the last call, at most `most`: what a late caller cannot make up for is left
  /// out, so that the rate is never above what was asked for by more than that.
  std::size_t take(Timestamp now, std::size_t most) {
    std::size_t count = 0;
    while (next_ <= now && count < most) {
      next_ += period_;
      ++count;
    }
    if (next_ <= now) next_ = now + period_;
    return count;
  }

 private:
  Duration period_;
  Timestamp next_ = kNever;
};

}  // namespace qdt::load
