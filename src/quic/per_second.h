#pragma once

#include <algorithm>

#include "base/time.h"

namespace qdt::quic {

/// So many in a second, of what anybody may ask for: as many at once, and then one each time that
/// another has become due. A burst each second does not take them all, as it would take those of a
/// second that begins anew.
class PerSecond {
 public:
  /// `most` is at least 1.
  explicit PerSecond(int most) : cost_(kFull / most) {}

  /// Whether one more may be had now: then it is.
  bool take(Timestamp now) {
    if (is_used_up(now)) return false;
    due_ -= cost_;
    return true;
  }

  bool is_used_up(Timestamp now) {
    due_ = std::min(kFull, due_ + std::max(now - seen_, Duration::zero()));
    seen_ = now;
    return due_ < cost_;
  }

 private:
  static constexpr Duration kFull = 1s;

  Duration cost_;
  Duration due_ = kFull;
  Timestamp seen_;
};

}  // namespace qdt::quic
