#pragma once

#include <algorithm>

#include "base/time.h"

namespace qdt {

/// The longest of the durations noted in the last ten to twenty seconds. Constant time and memory.
/// One thread.
class RecentMaximum {
 public:
  static constexpr Duration kWindow = 10s;

  /// Returns the longest, `value` included. `now` does not go back.
  Duration note(Duration value, Timestamp now) {
    if (now - begun_ >= kWindow) {
      before_ = now - begun_ < 2 * kWindow ? current_ : Duration{};
      current_ = {};
      begun_ = now;
    }
    current_ = std::max(current_, value);
    return std::max(before_, current_);
  }

 private:
  Timestamp begun_;
  Duration before_{};  // the longest of the window before
  Duration current_{};
};

}  // namespace qdt
