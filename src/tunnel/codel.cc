#include "tunnel/codel.h"

#include <cmath>

namespace qdt::tunnel {

// RFC 8289 section 5.6, one packet at a time.
bool Codel::should_drop(bool is_above_target, Timestamp now) {
  const bool stands = is_standing(is_above_target, now);
  if (is_dropping_) {
    if (!stands) is_dropping_ = false;
    if (!is_dropping_ || now < next_) return false;
    ++count_;
    next_ = after_interval(next_, count_);
    return true;
  }
  if (!stands) return false;

  // Where it ended not long ago, it goes on from the rate that worked.
  is_dropping_ = true;
  const std::uint32_t since_last = count_ - last_count_;
  const bool is_recent = now - next_ < 16 * kInterval;
  count_ = since_last > 1 && is_recent ? since_last : 1;
  last_count_ = count_;
  next_ = after_interval(now, count_);
  return true;
}

bool Codel::is_standing(bool is_above_target, Timestamp now) {
  if (!is_above_target) {
    above_until_ = {};
    return false;
  }
  if (above_until_ == Timestamp{}) {
    above_until_ = now + kInterval;
    return false;
  }
  return now >= above_until_;
}

Timestamp Codel::after_interval(Timestamp from, std::uint32_t count) {
  const double interval = static_cast<double>(kInterval.count());
  return from +
         Duration(static_cast<std::int64_t>(interval / std::sqrt(static_cast<double>(count))));
}

}  // namespace qdt::tunnel
