#pragma once

#include <algorithm>

#include "base/time.h"
#include "os/upkeep.h"

namespace qdt::os {

/// The fault of a host whose repairs are contested, for a person.
inline constexpr const char* kContestedFault =
    "another program changes this host's network again and again, and what it changes is put back "
    "as often: stop one of them";

/// When to look whether the host's network still is as it was made: at notices of changes, at once
/// but not often, and every two seconds in any case. Has no clock of its own.
///
/// The interval between two looks is bounded from below, so that a flood of notices (a router with
/// all the world's routes) costs little: it doubles with every look that notices caused and that
/// found nothing, and is at least thirty times as long as such a look took. Never is it so long
/// that what somebody changes stays so for two seconds.
class KeepPace {
 public:
  static constexpr Duration kPeriod = 2s;
  static constexpr Duration kLeastInterval = 50ms;
  static constexpr Duration kMostInterval = 1s;
  static constexpr Duration kLongestInterval = 1500ms;  ///< where looks take long

  /// The kernel told of a change.
  void on_notice(Timestamp now) {
    due_ = std::min(due_, std::max(now, latest_ + interval_));
    is_noticed_ = true;
  }
  /// When to look. Until then, one notice is as good as many: the rest need not be read.
  Timestamp due() const { return due_; }
  bool has_notice() const { return is_noticed_; }

  /// A look has ended.
  void on_kept(Timestamp begun, Timestamp ended, const Upkeep& upkeep) {
    const bool has_repairs = upkeep.has_repairs();
    if (has_repairs) {
      count_repair(ended);
    } else if (is_noticed_) {
      interval_ = std::min(2 * interval_, kMostInterval);
    } else {
      interval_ = kLeastInterval;
    }
    if (has_repairs && !is_contested()) interval_ = kLeastInterval;
    if (is_contested() && ended - latest_repair_ > kPeace) repairs_ = 0;
    if (is_contested()) interval_ = std::max(interval_, kContestedInterval);
    if (!has_repairs) interval_ = std::max(interval_, 30 * (ended - begun));
    interval_ = std::min(interval_, kLongestInterval);
    latest_ = ended;
    due_ = ended + (upkeep.fault.empty() ? kPeriod : kFaultPeriod);
    is_noticed_ = false;
  }

  /// Somebody undoes the repairs again and again.
  bool is_contested() const { return repairs_ >= kManyRepairs; }

 private:
  static constexpr Duration kFaultPeriod = 500ms;  // may pass
  static constexpr Duration kContestedInterval = 500ms;
  static constexpr Duration kPeace = 5s;  // without a repair, it is over
  static constexpr int kManyRepairs = 10;
  static constexpr Duration kWindow = 10s;

  void count_repair(Timestamp now) {
    if (now - window_begun_ > kWindow && !is_contested()) {
      window_begun_ = now;
      repairs_ = 0;
    }
    repairs_ = std::min(repairs_ + 1, kManyRepairs);
    latest_repair_ = now;
  }

  Timestamp due_;
  Timestamp latest_;
  Duration interval_ = kLeastInterval;
  bool is_noticed_ = false;
  int repairs_ = 0;  // since window_begun_
  Timestamp window_begun_;
  Timestamp latest_repair_;
};

}  // namespace qdt::os
