#include "client/reconnect.h"

#include <algorithm>

namespace qdt::client {
namespace {

constexpr int kMaxDoublings = 8;
// An attempt gets so many times what the last successful one took.
constexpr int kConnectFactor = 2;

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::kConnecting: return "connecting";
    case State::kConnected: return "connected";
    case State::kSilent: return "silent";
    case State::kReconnecting: return "reconnecting";
    case State::kRefused: return "refused";
    case State::kDegraded: return "degraded";
  }
  return "unknown";
}

Duration Reconnect::attempt_timeout() const {
  if (connects_ == 0) return options_.timeout;
  const int doublings = std::min(failures_, kMaxDoublings);
  const Duration least = std::max<Duration>(options_.short_timeout, kConnectFactor * took_);
  return std::min(options_.timeout, least * (1 << doublings));
}

void Reconnect::on_connected(Timestamp now, Duration took) {
  took_ = took;
  ++connects_;
  failures_ = 0;
  reason_.clear();
  enter(State::kConnected, now);
}

bool Reconnect::on_ended(const Ending& ending, Timestamp now) {
  if (gives_up(ending)) return false;
  next_ = now + delay(ending, now);
  reason_ = ending.text;
  if (ending.kind != Ending::Kind::kLost) ++failures_;
  if (ending.kind == Ending::Kind::kRefused) {
    enter(State::kRefused, now);
  } else {
    enter(connects_ == 0 ? State::kConnecting : State::kReconnecting, now);
  }
  return true;
}

bool Reconnect::gives_up(const Ending& ending) const {
  if (connects_ > 0) return false;
  if (ending.is_lasting) return true;
  // A server that is full or has had too many handshakes is there, and will be free again.
  const bool is_passing_refusal = ending.kind == Ending::Kind::kRefused;
  return !is_passing_refusal && !options_.waits_for_server;
}

Duration Reconnect::delay(const Ending& ending, Timestamp now) {
  if (ending.is_lasting) return options_.lasting_delay;
  const Duration lived = state_ == State::kConnected ? now - since_ : Duration::zero();
  if (lived >= options_.fair_after) backoff_.reset();
  const Duration own = lived >= options_.good_after ? Duration::zero() : backoff_.next(random_);
  return ending.retry_after ? std::max(own, spread(*ending.retry_after)) : own;
}

// Between the time that the server asks for and twice that: it says the same to everybody whom it
// refuses, and they are not to come back all at once.
Duration Reconnect::spread(Duration retry_after) {
  const Duration asked = std::clamp<Duration>(retry_after, 0s, options_.max_retry_after);
  const auto steps = static_cast<std::uint64_t>(asked.count()) + 1;
  return asked + Duration(static_cast<std::int64_t>(random_.number() % steps));
}

void Reconnect::on_network_change(Timestamp now) {
  backoff_.reset();
  failures_ = 0;
  if (state_ != State::kConnected) next_ = std::min(next_, now);
}

void Reconnect::enter(State state, Timestamp now) {
  if (state == state_) return;
  state_ = state;
  since_ = now;
}

}  // namespace qdt::client
