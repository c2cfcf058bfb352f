#pragma once

#include <algorithm>
#include <chrono>

#include "base/rate_limit.h"
#include "base/time.h"

namespace qdt {

/// Lets through what a RateLimit allows. A value; one thread.
class TokenBucket {
 public:
  explicit TokenBucket(const RateLimit& limit, Timestamp now = {})
      : limit_(limit), tokens_(std::max(limit.burst, 1.0)), filled_(now) {}

  /// Whether one more may pass now; if so, it has.
  bool take(Timestamp now) {
    if (is_empty(now)) return false;
    tokens_ -= 1;
    return true;
  }
  /// Whether none may pass now.
  bool is_empty(Timestamp now) {
    if (limit_.is_unlimited()) return false;
    if (now > filled_) {
      const double seconds = std::chrono::duration<double>(now - filled_).count();
      tokens_ = std::min(tokens_ + seconds * limit_.per_second, std::max(limit_.burst, 1.0));
      filled_ = now;
    }
    return tokens_ < 1;
  }

 private:
  RateLimit limit_;
  double tokens_;
  Timestamp filled_;
};

}  // namespace qdt
