#pragma once

#include "base/time.h"

namespace qdt::quic {

/// At most so many in a second, of what anybody may ask for.
class PerSecond {
 public:
  explicit PerSecond(int most) : most_(most) {}

  /// Whether one more may be had now: then it is.
  bool take(Timestamp now) {
    if (is_used_up(now)) return false;
    ++count_;
    return true;
  }

  bool is_used_up(Timestamp now) {
    if (now - begun_ >= 1s) {
      begun_ = now;
      count_ = 0;
    }
    return count_ >= most_;
  }

 private:
  int most_;
  int count_ = 0;
  Timestamp begun_;
};

}  // namespace qdt::quic
