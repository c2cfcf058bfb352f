#include "plane/peer_paths.h"

#include <algorithm>
#include <utility>

namespace qdt::plane {

bool PeerPaths::on_arrival(const Arrival& arrival, const Times& times) {
  if (arrival.path == home_) return on_home(arrival, times);
  if (trial_ && arrival.path == trial_->path) {
    trial_->received += arrival.bytes;
    return false;
  }
  if (Try* known = find(arrival.path)) {
    known->received += arrival.bytes;
    return false;
  }
  const bool is_cautious = times.now < cautious_until_;
  const bool is_copy = arrival.kind == Kind::kCopy;
  // The former home brings what somebody else was faster with: he relays the client's answers, too.
  const bool is_overtaken = former_ && is_copy && !is_cautious && former_->path == arrival.path &&
                            arrival.counter >= former_->first_counter;
  if (is_overtaken) {
    cautious_until_ = times.now + kCaution;
    ask_known(arrival.path, arrival, times);
    return false;
  }
  if (arrival.path == declined_) return false;
  if (is_cautious) {
    // A client that moves while somebody copies: its own packets are the copies then.
    const bool may_be_client = is_copy || arrival.kind == Kind::kNewest;
    if (!may_be_client) return false;
    ask_known(home_, arrival, times);
    if (tries_.size() == kMaxTries) return false;
    const auto until = tried_.try_until(arrival.path, times.patience, times.now);
    if (until) ask(arrival, *until, times);
    return false;
  }
  return arrival.kind == Kind::kNewest && begin_trial(arrival, times);
}

bool PeerPaths::on_home(const Arrival& arrival, const Times& times) {
  if (!trial_ || trial_->is_contested || arrival.counter < trial_->first_counter) return false;
  if (arrival.kind == Kind::kNewest) {
    trial_.reset();
    return true;
  }
  if (arrival.kind != Kind::kCopy) return false;
  // Somebody was faster than the path, or sends in its name what he has copied: home has to answer.
  cautious_until_ = times.now + kCaution;
  trial_->is_contested = true;
  trial_->next_ping = times.now + trial_->ping_interval;
  ask_known(home_, arrival, times);
  return true;
}

bool PeerPaths::begin_trial(const Arrival& arrival, const Times& times) {
  if (times.now - moves_began_ >= 1s) {
    moves_began_ = times.now;
    moves_ = 0;
  }
  if (++moves_ > kMovesPerSecond) return false;
  const auto until = tried_.try_until(arrival.path, times.patience, times.now);
  if (!until) return false;
  trial_ = make_try(arrival.path, arrival, *until, times.now);
  // Together with an ID of its own a path gives nobody away who knows the other (RFC 9000
  // section 9.5).
  trial_->goes_home_too = !arrival.has_new_id;
  return true;
}

PeerPaths::Try PeerPaths::make_try(const UdpPath& path, const Arrival& arrival, Timestamp until,
                                   Timestamp now) {
  return {.path = path,
          .cookie = random_.bytes<sizeof(wire::PingCookie)>(),
          .first_counter = arrival.counter,
          .received = arrival.path == path ? arrival.bytes : 0,
          .until = until,
          .next_ping = now};
}

void PeerPaths::ask(const Arrival& arrival, Timestamp until, const Times& times) {
  tries_.push_back(make_try(arrival.path, arrival, until, times.now));
}

void PeerPaths::ask_known(const UdpPath& path, const Arrival& arrival, const Times& times) {
  if (find(path) != nullptr || tries_.size() == kMaxTries) return;
  const Duration patience = std::max<Duration>(kMinHomePatience, 3 * times.rtt);
  tries_.push_back(make_try(path, arrival, times.now + patience, times.now));
  tries_.back().is_known = true;
}

bool PeerPaths::is_asking_home() const {
  return std::ranges::find(tries_, home_, &Try::path) != tries_.end();
}

PeerPaths::Try* PeerPaths::find(const UdpPath& path) {
  const auto found = std::ranges::find(tries_, path, &Try::path);
  return found == tries_.end() ? nullptr : &*found;
}

bool PeerPaths::on_pong(const wire::PingCookie& cookie, const UdpPath& path, const Times& times) {
  if (trial_ && trial_->cookie == cookie) {
    if (path != trial_->path) return false;
    tried_.on_answer(path);
    trial_->has_answered = true;
    return !is_asking_home() && settle(trial_->path, trial_->first_counter, times);
  }
  const auto found = std::ranges::find(tries_, cookie, &Try::cookie);
  if (found == tries_.end()) return false;
  // Somebody has read the ping where it was sent to, whichever way the answer came.
  found->has_answered = true;
  tried_.on_answer(found->path);
  if (!found->is_known) {
    return !is_asking_home() && settle(found->path, found->first_counter, times);
  }
  const UdpPath older = found->path;
  const UdpPath before = current();
  if (older != home_) declined_ = home_;
  if (older == home_ && trial_) declined_ = trial_->path;
  home_ = older;
  trial_.reset();
  former_.reset();
  tries_.clear();
  return before != home_;
}

bool PeerPaths::settle(const UdpPath& path, std::uint64_t first_counter, const Times& times) {
  const UdpPath before = current();
  former_ = {.path = home_, .first_counter = first_counter, .until = times.now + times.patience};
  home_ = path;
  trial_.reset();
  tries_.clear();
  declined_.reset();
  return before != home_;
}

bool PeerPaths::settle_at_answered(const Times& times) {
  if (trial_ && trial_->has_answered) {
    return settle(UdpPath(trial_->path), trial_->first_counter, times);
  }
  const auto found = std::ranges::find_if(
      tries_, [](const Try& one) { return one.has_answered && !one.is_known; });
  return found != tries_.end() && settle(UdpPath(found->path), found->first_counter, times);
}

bool PeerPaths::on_validated(const UdpPath& path, const Times& times) {
  if (path == home_) return false;
  if (!trial_ || trial_->path != path) return go_home_to(path);
  tried_.on_answer(path);
  trial_->has_answered = true;
  return !is_asking_home() && settle(UdpPath(trial_->path), trial_->first_counter, times);
}

bool PeerPaths::go_home_to(const UdpPath& path) {
  const UdpPath before = current();
  tried_.on_answer(path);
  home_ = path;
  trial_.reset();
  tries_.clear();
  former_.reset();
  declined_.reset();
  return before != home_;
}

bool PeerPaths::expire(const Times& times) {
  if (former_ && former_->until <= times.now) former_.reset();
  const UdpPath before = current();
  const auto is_over = [&](const Try& one) {
    return one.until <= times.now && !(one.has_answered && is_asking_home() && one.path != home_);
  };
  const bool was_asking_home = is_asking_home();
  std::erase_if(tries_, [&](const Try& one) { return one.is_known && one.until <= times.now; });
  const bool has_asked_in_vain = was_asking_home && !is_asking_home();
  if (has_asked_in_vain) {
    const UdpPath silent = home_;
    if (settle_at_answered(times)) tried_.give_up(silent, times.now);
  }
  std::erase_if(tries_, is_over);
  if (trial_ && trial_->until <= times.now && !trial_->has_answered) trial_.reset();
  return before != current();
}

std::optional<UdpPath> PeerPaths::take_second(std::size_t bytes) {
  if (!trial_) return std::nullopt;
  if (!trial_->is_contested) {
    return trial_->goes_home_too ? std::optional(home_) : std::nullopt;
  }
  if (!trial_->has_room(bytes)) return std::nullopt;
  trial_->sent += bytes;
  return trial_->path;
}

// Once it is due, at growing intervals.
bool PeerPaths::Try::takes_ping(Timestamp now) {
  if (next_ping > now || has_answered) return false;
  next_ping = now + ping_interval;
  ping_interval *= 2;
  return true;
}

std::optional<wire::PingCookie> PeerPaths::take_ping(Timestamp now) {
  return is_leading() && trial_->takes_ping(now) ? std::optional(trial_->cookie) : std::nullopt;
}

std::optional<PeerPaths::Ping> PeerPaths::take_ping_elsewhere(std::size_t bytes, Timestamp now) {
  const auto takes = [&](Try& one) { return one.takes_ping(now) && one.has_room(bytes); };
  const auto take = [bytes](Try& one) {
    one.sent += bytes;
    return Ping{one.path, one.cookie};
  };
  if (trial_ && !is_leading() && takes(*trial_)) return take(*trial_);
  const auto due = std::ranges::find_if(tries_, takes);
  return due == tries_.end() ? std::nullopt : std::optional(take(*due));
}

Timestamp PeerPaths::deadline() const {
  Timestamp next = former_ ? former_->until : kNever;
  if (trial_ && !trial_->has_answered) next = std::min(next, trial_->until);
  for (const Try& one : tries_) {
    if (!one.has_answered) next = std::min(next, one.until);
  }
  return next;
}

Timestamp PeerPaths::next_timeout() const {
  Timestamp next = deadline();
  if (trial_ && !trial_->has_answered) next = std::min(next, trial_->next_ping);
  for (const Try& one : tries_) {
    if (!one.has_answered) next = std::min(next, one.next_ping);
  }
  return next;
}

}  // namespace qdt::plane
