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

  /// Another limit from now on. What is left of the burst stays, as far as the new one has it.
  void use(const RateLimit& limit, Timestamp now) {
    if (limit_.is_unlimited()) {
      *this = TokenBucket(limit, now);
      return;
    }
    fill(now);
    limit_ = limit;
    tokens_ = std::min(tokens_, std::max(limit.burst, 1.0));
  }
  /// Whether one more may pass now; if so, it has.
  bool take(Timestamp now) {
    if (is_empty(now)) return false;
    tokens_ -= 1;
    return true;
  }
  /// Whether none may pass now.
  bool is_empty(Timestamp now) {
    if (limit_.is_unlimited()) return false;
    fill(now);
    return tokens_ < 1;
  }

 private:
  void fill(Timestamp now) {
    if (now <= filled_) return;
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(tokens_ + seconds * limit_.per_second, std::max(limit_.burst, 1.0));
    filled_ = now;
  }

  RateLimit limit_;
  double tokens_;
  Timestamp filled_;
};

}  // namespace qdt
