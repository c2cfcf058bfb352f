#pragma once

#include <cstddef>

#include "base/time.h"

namespace qdt::plane {

/// Spreads over time what a rate allows: a millisecond's worth at once, or two payloads where that
/// is more. What had to wait gets all of its credit when its host comes to it late, up to 50 ms of
/// it: else a busy host would send less than the rate. (What its socket does not take at once loses
/// it.) A value; time goes in; one thread.
class Pacer {
 public:
  /// Bytes per second; 0: nothing is limited.
  double rate() const { return rate_; }
  void set_rate(double bytes_per_second, Timestamp now);

  /// Whether `now` a payload may leave; if not, when to ask again.
  bool may_send(Timestamp now) {
    is_held_back_ = rate_ > 0 && credit(now) <= 0;
    return !is_held_back_;
  }
  Timestamp next(Timestamp now) const;
  void on_sent(std::size_t bytes) { credit_bytes_ -= rate_ > 0 ? static_cast<double>(bytes) : 0; }

 private:
  double credit(Timestamp now);
  double burst_bytes() const;

  double rate_ = 0;
  bool is_held_back_ = false;  // a payload has to wait for credit
  double credit_bytes_ = 0;
  Timestamp credited_;
};

}  // namespace qdt::plane
