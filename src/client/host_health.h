#pragma once

#include <string>
#include <utility>

#include "base/time.h"

namespace qdt::client {

/// Whether this host's network is as it has to be, as far as others are told: a change that is put
/// back within a second is none of their affair. Takes findings and the time.
class HostHealth {
 public:
  static constexpr Duration kPatience = 1s;

  /// A look has found `fault`, or nothing; `is_contested`: others undo again and again what is put
  /// back. Whether is_degraded() has changed.
  bool look(std::string fault, bool is_contested, Timestamp now) {
    fault_ = std::move(fault);
    if (fault_.empty()) {
      fault_since_ = kNever;
    } else if (fault_since_ == kNever) {
      fault_since_ = now;
    }
    const bool was_degraded = is_degraded();
    const bool has_lasted = !fault_.empty() && now - fault_since_ >= kPatience;
    const bool is_worse = has_lasted || (!fault_.empty() && is_contested);
    if (is_worse == was_degraded) return false;
    degraded_since_ = is_worse ? now : kNever;
    return true;
  }

  bool is_degraded() const { return degraded_since_ != kNever; }
  Timestamp degraded_since() const { return degraded_since_; }
  const std::string& fault() const { return fault_; }

 private:
  std::string fault_;
  Timestamp fault_since_ = kNever;
  Timestamp degraded_since_ = kNever;
};

}  // namespace qdt::client
