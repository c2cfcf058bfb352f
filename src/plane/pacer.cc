#include "plane/pacer.h"

#include <algorithm>

namespace qdt::plane {
namespace {

constexpr double kPayloadBytes = 1500;
constexpr double kBurstSeconds = 1e-3;
// The host may have other things to do for so long.
constexpr double kMostLateSeconds = 50e-3;

}  // namespace

void Pacer::set_rate(double bytes_per_second, Timestamp now) {
  if (rate_ > 0) {
    credit(now);
  } else {
    credit_bytes_ = 0;
    credited_ = now;
  }
  rate_ = bytes_per_second;
}

// Until there is some work to do: half a burst.
Timestamp Pacer::next(Timestamp now) const {
  if (rate_ <= 0) return now;
  const double missing = burst_bytes() / 2 - credit_bytes_;
  const double seconds = std::max(missing, 1.0) / rate_;
  return now + Duration(1) + Duration(static_cast<std::int64_t>(seconds * 1e9));
}

double Pacer::burst_bytes() const {
  return std::max(2 * kPayloadBytes, rate_ * kBurstSeconds);
}

double Pacer::credit(Timestamp now) {
  if (now == credited_) return credit_bytes_;
  const double most = is_held_back_ ? rate_ * kMostLateSeconds : 0;
  const double earned = rate_ * std::chrono::duration<double>(now - credited_).count();
  credit_bytes_ = std::min(credit_bytes_ + earned, std::max(most, burst_bytes()));
  credited_ = now;
  return credit_bytes_;
}

}  // namespace qdt::plane
