#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace qdt::client {

/// The next step on a path where nobody answers: go on from another socket first, because most
/// often a NAT has forgotten the old one, and then connect anew. Takes what is known and the time.
class Liveness {
 public:
  struct Options {
    Duration rebind_after = 1500ms;  ///< of silence, at least; most paths' round trips are shorter
    Duration give_up_after = 2s;     ///< of silence behind the rebinding, at least
    /// However slow the path is said to be, answers are not waited for any longer.
    Duration max_answer_time = 10s;
  };
  enum class Action {
    kNone,
    kRebind,  ///< go on from another port
    kGiveUp,  ///< connect anew
  };

  Liveness() : Liveness(Options{}) {}
  explicit Liveness(const Options& options) : options_(options) {}

  /// `silent_since`: when the oldest packet was sent that has had no answer, as counted since the
  /// latest rebinding; none when no answer is owed. `answer_time`: how long answers may take on
  /// this path, by what was measured.
  Action look(std::optional<Timestamp> silent_since, Duration answer_time, Timestamp now) {
    if (rebound_at_ && silent_since.value_or(now) - *rebound_at_ >= kAnswered) rebound_at_.reset();
    if (now < due(silent_since, answer_time)) return Action::kNone;
    if (rebound_at_) return Action::kGiveUp;
    rebound_at_ = now;
    return Action::kRebind;
  }

  /// When look() will find something to do if nobody answers before; kNever while no answer is
  /// owed.
  Timestamp due(std::optional<Timestamp> silent_since, Duration answer_time) const {
    if (!silent_since) return kNever;
    const Duration least = std::min(answer_time, options_.max_answer_time);
    if (!rebound_at_) return *silent_since + std::max(options_.rebind_after, least);
    return std::max(*silent_since, *rebound_at_) + std::max(options_.give_up_after, least);
  }

  /// The connection goes on from another socket, for whatever reason.
  void on_rebound(Timestamp now) { rebound_at_ = now; }

 private:
  // A silence that begins so long after a rebinding is another one: what was sent with it was
  // answered.
  static constexpr Duration kAnswered = 500ms;

  Options options_;
  std::optional<Timestamp> rebound_at_;
};

}  // namespace qdt::client
