#include "plane/shaper.h"

#include <algorithm>

namespace qdt::plane {
namespace {

constexpr double kPayloadBytes = 1500;
constexpr Duration kMinRound = 20ms;
// The least of what comes and goes is found, and the rate of what comes in bunches, by looking for
// longer: so many times the jitter.
constexpr int kJitterRound = 20;
constexpr Duration kMaxRound = 2s;
// Arrivals are measured over so many packets.
constexpr std::uint64_t kRoundPackets = 10;
// Below so much there is nothing to gain: a few packets each round trip.
constexpr double kMinRate = 10 * kPayloadBytes;

// Above what others' shapers would leave. A queue that stands for so many rounds is no burst and no
// jitter; a long one, for fewer.
constexpr Duration kStandingQueue = 2 * Shaper::kTarget;
constexpr int kStandingRounds = 3;
constexpr Duration kLongQueue = 4 * Shaper::kTarget;
constexpr int kLongStandingRounds = 2;

// The share of what arrives that is sent: in the experiment, and while the queue is drained.
// Neither costs anything if the queue is ours: it keeps the link busy.
constexpr double kTryShare = 0.7;
constexpr double kDrainShare = 0.6;
// The experiment takes so long, and so much of what a link of our own would show has to come of it.
// A sender that has half the link sees half.
constexpr Duration kMinTryTime = 100ms;
constexpr double kTryPackets = 25;
constexpr double kHelpShare = 0.8;
// A queue that is gone has to have had time for at least so much of that.
constexpr double kOwnShare = 0.4;
constexpr double kClockTick = 1e-3;
// Less than this says nothing.
constexpr Duration kNoise = 8ms;

// Letting go at once would be a burst of all that waits: so much more each round.
constexpr double kGiveBack = 2;
constexpr Duration kFirstRelease = 3s;
constexpr Duration kLongestRelease = 48s;
constexpr Duration kForgetHold = 15s;
// A standing excess is taken off in so many rounds; then it goes on just below.
constexpr int kLowerRounds = 3;
constexpr double kBelow = 0.97;
// A sender that keeps less than this is being pushed aside, or the link has become slower.
constexpr double kYieldShare = 0.7;
// The path is seen empty so often: a queue that never ends would look like a longer path.
constexpr Duration kDrainInterval = 10s;

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) * 1e-9;
}

Duration from_seconds(double time) {
  return Duration(static_cast<std::int64_t>(time * 1e9));
}

}  // namespace

void Shaper::Tally::add(const PathSample& sample) {
  bytes += sample.bytes;
  over += sample.over;
  packets += sample.packets;
  lost += sample.lost;
}

double Shaper::Tally::arriving() const {
  return over > Duration::zero() ? static_cast<double>(bytes) / seconds(over) : 0;
}

double Shaper::Tally::leaving() const {
  return packets > 0
             ? arriving() * static_cast<double>(packets + lost) / static_cast<double>(packets)
             : 0;
}

bool Shaper::should_pause_dropping() const {
  if (state_ == State::kFree || state_ == State::kReleased) return rate() > 0;
  const bool was_of_no_use = release_time_ > Duration::zero();
  return state_ == State::kTrying || (is_unproven_ && was_of_no_use);
}

void Shaper::on_sample(const PathSample& sample, bool is_backlogged, Timestamp now) {
  if (sample.rtt <= Duration::zero()) return;
  was_backlogged_ |= is_backlogged;
  if (round_began_ == Timestamp{}) begin_round(now);
  if (state_ == State::kDraining && now >= drained_at_) return begin_hold(arriving_before_, now);
  if (sample.sent < round_began_ && state_ != State::kFree) return;

  measure_jitter(sample.queue_delay);
  round_.add(sample);
  least_queue_ = std::min(least_queue_, sample.queue_delay);
  if (state_ == State::kTrying) return look_at_try(sample, now);
  const bool may_try_again = state_ == State::kReleased && now >= released_until_;
  if (may_try_again && standing_rounds_ >= kStandingRounds) {
    return try_less(standing_arriving_, now);
  }
  const bool is_over = sample.sent >= round_began_ && now - round_began_ >= round_time() &&
                       round_.packets >= kRoundPackets && round_.over > Duration::zero();
  if (is_over) end_round(now);
}

void Shaper::measure_jitter(Duration queue) {
  const Duration change = queue - last_queue_;
  const Duration bend = std::chrono::abs(change - last_change_) / 2;
  last_queue_ = queue;
  last_change_ = change;
  jitter_ += (bend - jitter_) / 16;
}

Duration Shaper::round_time() const {
  return std::clamp<Duration>(kJitterRound * jitter_, kMinRound, kMaxRound);
}

void Shaper::begin_round(Timestamp now) {
  round_began_ = now;
  least_queue_ = Duration::max();
  round_ = {};
  was_backlogged_ = false;
}

void Shaper::end_round(Timestamp now) {
  queue_ = least_queue_;
  if (was_backlogged_) last_backlogged_ = now;
  const bool is_free = state_ == State::kFree || state_ == State::kReleased;
  if (is_free && rate() > 0) let_go_further(now);
  switch (state_) {
    case State::kReleased:
      if (now >= released_until_) state_ = State::kFree;
      [[fallthrough]];
    case State::kFree: look_for_evidence(now); break;
    case State::kHolding: hold(now); break;
    case State::kTrying:
    case State::kDraining: break;
  }
  begin_round(now);
}

void Shaper::look_for_evidence(Timestamp now) {
  const bool is_busy = round_.arriving() > kMinRate;
  standing_rounds_ = is_busy && queue_ > kStandingQueue ? standing_rounds_ + 1 : 0;
  const int enough = queue_ > kLongQueue ? kLongStandingRounds : kStandingRounds;
  if (standing_rounds_ < enough) return;
  if (state_ == State::kFree) try_less(round_.arriving(), now);
  standing_arriving_ = round_.arriving();
}

void Shaper::try_less(double arriving, Timestamp now) {
  if (state_ != State::kTrying) held_before_ = state_ == State::kHolding ? rate() : 0;
  state_ = State::kTrying;
  began_ = now;
  first_ = {};
  is_second_try_ = false;
  arriving_before_ = asked_before_ = arriving;
  standing_rounds_ = 0;
  try_time_ = std::max<Duration>(
      kMinTryTime, from_seconds(kTryPackets * kPayloadBytes / std::max(arriving, kMinRate)));
  limit(arriving * kTryShare, now);
  begin_round(now);
}

// Each second in which that share is sent takes the rest of a second off the queue that what leaves
// at its end will meet.
void Shaper::look_at_try(const PathSample& sample, Timestamp now) {
  if (first_.sent == Timestamp{}) first_ = latest_ = {sample.sent, sample.queue_delay};
  const bool is_gone = sample.queue_delay <= kTarget / 2;
  const bool is_over = sample.sent > began_ + try_time_;
  // A queue that is gone may have been so for a while: the sample before tells how fast it fell.
  if (!is_gone && !is_over) latest_ = {sample.sent, sample.queue_delay};
  // Nothing more is to be learned by it, and the verdict is a round trip away.
  if (now > began_ + try_time_) limit(arriving_before_, now);
  if (!is_gone && !is_over) return;

  const double explained = (1 - kTryShare) * seconds(sample.sent - first_.sent);
  const double fallen = seconds(first_.queue - sample.queue_delay);
  if (is_gone && explained < kOwnShare * fallen + kClockTick) return go_on_as_before(now);
  const double fall = (1 - kTryShare) * seconds(latest_.sent - first_.sent);
  const bool helps =
      fall < seconds(kNoise) || seconds(first_.queue - latest_.queue) >= kHelpShare * fall;
  if (helps) {
    most_ = 0;  // whatever was held before
    is_unproven_ = true;
    // It may have gone on falling since that left.
    const Duration went_on = std::min(now, began_ + try_time_) - sample.sent;
    const double gone = (1 - kTryShare) * std::max(seconds(went_on), 0.0);
    return drain(sample.queue_delay - from_seconds(gone), arriving_before_, now);
  }
  // More than was sent cannot have arrived, unless it was measured while the link became slower.
  const bool was_too_much =
      !is_second_try_ && round_.arriving() < 0.95 * kTryShare * arriving_before_;
  if (!was_too_much) return release(now);
  const double asked = asked_before_;
  try_less(round_.arriving(), now);
  is_second_try_ = true;
  asked_before_ = asked;
}

void Shaper::go_on_as_before(Timestamp now) {
  if (held_before_ <= 0) {
    limit(kGiveBack * asked_before_, now);
    return let_go();
  }
  state_ = State::kHolding;
  ceiling_ = std::max(ceiling_, held_before_);
  limit(held_before_, now);
  begin_round(now);
}

void Shaper::drain(Duration queue, double arriving, Timestamp now) {
  state_ = State::kDraining;
  arriving_before_ = arriving;
  drained_at_ = now + from_seconds(std::max(seconds(queue), 0.0) / (1 - kDrainShare));
  limit(arriving * kDrainShare, now);
}

void Shaper::begin_hold(double bytes_per_second, Timestamp now) {
  state_ = State::kHolding;
  clear_rounds_ = 0;
  drained_at_ = now;
  ceiling_ = bytes_per_second;
  most_ = std::max(most_, ceiling_);
  limit(bytes_per_second, now);
  begin_round(now);
}

// Just below where the queue would stand: up while it is short, down when it is not.
void Shaper::hold(Timestamp now) {
  // Nobody has asked for more than this in a long time: the path may be another by now.
  if (now - last_backlogged_ > kForgetHold) return let_go();
  // Much more than our own probing would do: the link has become slower, or someone else came, or
  // what is within sends as much as the link takes without being held back.
  standing_rounds_ = queue_ > kStandingQueue ? standing_rounds_ + 1 : 0;
  if (queue_ > kLongQueue || standing_rounds_ >= kStandingRounds) {
    return try_less(round_.arriving(), now);
  }
  if (queue_ > kTarget) {
    // Two flows that back off at the same time look like one that sends less.
    const bool is_doubtful = is_unproven_ && was_backlogged_;
    return is_doubtful ? try_less(round_.arriving(), now) : lower(now);
  }
  is_unproven_ = false;
  release_time_ = {};
  if (was_backlogged_ && now - drained_at_ > kDrainInterval) {
    return drain(queue_, rate(), now);
  }
  if (queue_ <= kTarget / 2) raise(now);
}

void Shaper::lower(Timestamp now) {
  if (!was_backlogged_) return;  // it is not ours: we do not even send so much
  // While a queue stands, what arrives is what the link gives us, whatever we send.
  ceiling_ = std::min(std::max(rate(), ceiling_), round_.arriving());
  clear_rounds_ = 0;
  if (ceiling_ < kYieldShare * most_) return try_less(ceiling_, now);
  const double excess = seconds(queue_ - kTarget / 2) / seconds(now - round_began_);
  limit((1 - std::clamp(excess / kLowerRounds, 0.03, 0.3)) * ceiling_, now);
}

// By so much that the small catch up with the large; and when there is room where there was none,
// ever faster.
void Shaper::raise(Timestamp now) {
  if (!was_backlogged_) return;
  if (rate() < kBelow * ceiling_) return limit(kBelow * ceiling_, now);
  // A queue that grows is not to be seen at once.
  if (round_.leaving() < 0.95 * rate()) return;
  const double some_packets = 5 * kPayloadBytes / seconds(now - round_began_);
  double step = std::clamp(some_packets, 0.02 * rate(), 0.1 * rate());
  clear_rounds_ = rate() > 1.1 * ceiling_ ? clear_rounds_ + 1 : 0;
  if (clear_rounds_ > 0) step = std::max(step, 0.05 * rate());
  if (clear_rounds_ > 4) step = 0.25 * rate();
  limit(rate() + step, now);
  most_ = std::max(most_, std::min(rate(), round_.arriving()));
}

void Shaper::let_go_further(Timestamp now) {
  if (was_backlogged_) {
    limit(kGiveBack * rate(), now);
  } else {
    rate_ = 0;
  }
}

void Shaper::let_go() {
  state_ = State::kFree;
  is_unproven_ = false;
  most_ = 0;
  standing_rounds_ = 0;
}

void Shaper::release(Timestamp now) {
  limit(kGiveBack * asked_before_, now);
  let_go();
  state_ = State::kReleased;
  release_time_ = std::clamp(2 * release_time_, kFirstRelease, kLongestRelease);
  // All sessions of a process try again at the same time: those that share a bottleneck then see
  // what comes of it when all send less.
  const auto turns = (now + release_time_ / 2).time_since_epoch() / release_time_ + 1;
  released_until_ = Timestamp(turns * release_time_);
}

void Shaper::limit(double bytes_per_second, Timestamp now) {
  if (rate() <= 0) last_backlogged_ = now;
  rate_ = std::max(bytes_per_second, kMinRate);
}

}  // namespace qdt::plane
