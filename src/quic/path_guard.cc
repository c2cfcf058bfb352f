#include "quic/path_guard.h"

#include <algorithm>

namespace qdt::quic {
namespace {

std::uint64_t tag_of(Bytes payload) {
  return payload.size() < sizeof(std::uint64_t)
             ? 0
             : load_be<std::uint64_t>(payload.last(sizeof(std::uint64_t)).data());
}

}  // namespace

UdpPath PathGuard::seen_path(const UdpPath& path, const Times& times) const {
  if (path == home_) return path;
  if (!tried_.may_try(path, times.now)) return home_;
  if (!is_cautious(times.now) && !is_home_dead_) return path;
  const bool is_home_silent = is_home_dead_ || (unmatched_since_ != kNever &&
                                                times.now - unmatched_since_ >=
                                                    std::max<Duration>(kMinSilence, 2 * times.rtt));
  if (!is_home_silent) return home_;
  // A client that has moved is slower than the copier, whose packets count as come from there.
  return slower_ ? *slower_ : path;
}

void PathGuard::on_read(const Arrival& arrival, const Times& times) {
  is_watching_ = true;
  if (former_ && former_->until <= times.now) former_.reset();
  if (!is_home_answering(arrival, times)) {
    tried_.give_up(home_, times.now);
    is_home_dead_ = true;
    contested_since_ = kNever;
  }
  if (arrival.path == home_) return on_home(arrival, times);
  on_foreign(arrival, times);
}

bool PathGuard::is_home_answering(const Arrival& arrival, const Times& times) const {
  if (contested_since_ == kNever || arrival.unacknowledged_since == kNever) return true;
  const Timestamp since = std::max(arrival.unacknowledged_since, contested_since_);
  return times.now - since < std::max<Duration>(kMinAnswer, 4 * times.rtt);
}

void PathGuard::on_foreign(const Arrival& arrival, const Times& times) {
  // The former home brings what somebody else was faster with: he relays the client's answers, too.
  const bool is_overtaken = former_ && former_->path == arrival.path && !is_cautious(times.now) &&
                            is_marked(arrival.payload);
  if (is_overtaken) {
    cautious_until_ = times.now + kCaution;
    home_ = arrival.path;
    former_.reset();
    trial_.reset();
    return;
  }
  const bool has_moved = arrival.seen != home_ && arrival.engine_path == arrival.seen;
  if (has_moved && trial_ != arrival.seen) {
    tried_.try_until(arrival.seen, times.patience, times.now);
    trial_ = arrival.seen;
    mark(arrival.payload);
    return;
  }
  if (!arrival.is_heard) {
    if (is_marked(arrival.payload) && tried_.may_try(arrival.path, times.now)) {
      slower_ = arrival.path;
    }
    return;
  }
  mark(arrival.payload);
  if (unmatched_since_ == kNever) unmatched_since_ = times.now;
}

void PathGuard::on_home(const Arrival& arrival, const Times& times) {
  if (is_home_dead_) return;
  const bool is_copy = is_marked(arrival.payload);
  const bool is_back = trial_ && arrival.engine_path == home_;
  const bool is_alive = is_copy || is_back || (arrival.is_heard && !trial_);
  if (is_alive) {
    unmatched_since_ = kNever;
    slower_.reset();
  }
  if (is_copy && contested_since_ == kNever) contested_since_ = times.now;
  if (is_copy) cautious_until_ = times.now + kCaution;
  if (is_copy || is_back) trial_.reset();
  // The answer that made this home may have been relayed by somebody who was faster.
  if (former_ && arrival.is_heard) mark(arrival.payload);
  if (!former_ && !trial_ && !is_cautious(times.now)) is_watching_ = false;
}

void PathGuard::on_verdict(const UdpPath& path, bool is_usable, const UdpPath& engine_path,
                           const Times& times) {
  if (trial_ == path) trial_.reset();
  is_home_dead_ = false;
  if (!is_usable) {
    tried_.give_up(path, times.now);
    if (path == home_) home_ = engine_path;
    return;
  }
  tried_.on_answer(path);
  if (path == home_) return;
  former_ = {.path = home_, .until = times.now + times.patience};
  home_ = path;
  unmatched_since_ = contested_since_ = kNever;
  slower_.reset();
  is_watching_ = true;
}

void PathGuard::mark(Bytes payload) {
  if (!marks_) marks_ = std::make_unique<std::array<std::uint64_t, kMarks>>();
  const std::uint64_t tag = tag_of(payload);
  (*marks_)[tag % kMarks] = tag;
}

bool PathGuard::is_marked(Bytes payload) const {
  const std::uint64_t tag = tag_of(payload);
  return marks_ && tag != 0 && (*marks_)[tag % kMarks] == tag;
}

}  // namespace qdt::quic
