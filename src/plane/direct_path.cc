#include "plane/direct_path.h"

#include <algorithm>

namespace qdt::plane {
namespace {

// How long packets may go unanswered before the plane counts as dead.
constexpr int kSilentRoundTrips = 4;
constexpr Duration kMinSilence = 500ms;

}  // namespace

DirectPath::DirectPath(const UdpPath& address, const DirectPath& before, Duration rtt)
    : address_(address),
      arrivals_(before.arrivals_),
      departures_(before.departures_),
      earlier_rtt_(rtt),
      packets_arrived_(before.packets_arrived_),
      packets_lost_(before.packets_lost_),
      has_shaper_(before.has_shaper_),
      unanswered_since_(before.unanswered_since_),
      unanswered_(before.unanswered_),
      slowest_answer_(before.slowest_answer_),
      was_silent_(before.was_silent_),
      has_silent_large_(before.has_silent_large_) {
  departures_.forget_path();
}

bool DirectPath::may_send(Timestamp now) {
  if (pacer_.may_send(now)) return true;
  is_backlogged_ = true;
  unblocked_at_ = pacer_.next(now);
  return false;
}

void DirectPath::on_sent(std::uint64_t counter, std::size_t bytes, bool has_packets,
                         Timestamp now) {
  departures_.on_packet(counter, now);
  pacer_.on_sent(bytes);
  larges_.on_sent(counter, bytes);
  if (LargeWatch::is_large(bytes)) unanswered_.has_large = true;
  if (!has_packets) ++unanswered_.controls;
}

void DirectPath::on_sent_elsewhere(std::uint64_t counter, Timestamp now) {
  departures_.on_packet(counter, now);
  ++unanswered_.controls;
}

bool DirectPath::expect_answer(std::uint64_t counter, Timestamp now) {
  if (is_awaiting_answer()) return false;
  unanswered_since_ = now;
  unanswered_ = {.first = counter};
  return true;
}

Duration DirectPath::patience(Duration rtt) const {
  return std::max({kMinSilence, kSilentRoundTrips * rtt, 3 * slowest_answer_ / 2});
}

void DirectPath::on_silence() {
  was_silent_ = true;
  has_silent_large_ = unanswered_.has_large;
}

void DirectPath::on_answer(Timestamp now) {
  if (is_awaiting_answer()) {
    slowest_answer_ = std::max(now - unanswered_since_, slowest_answer_ / 2);
  }
  unanswered_since_ = kNever;
}

std::expected<DirectPath::News, Drop> DirectPath::on_feedback(const wire::Feedback& feedback,
                                                              std::uint64_t next, Duration rtt,
                                                              Timestamp now) {
  const std::uint64_t highest_before = departures_.highest();
  auto sample = departures_.on_feedback(feedback, now);
  if (!sample) return std::unexpected(sample.error());
  News news;
  // That nothing came through for a while says nothing about rates, and about sizes only if
  // large ones are missing now: on a path that became slower, all come, late.
  if (std::exchange(was_silent_, false)) {
    news.misses_large = has_silent_large_ && sample->lost > 0;
    sample->lost = 0;
    larges_.forget_losses();
  }
  // The first packets may come before the peer has begun the session, which loses them.
  if (packets_arrived_ > 0) packets_lost_ += sample->lost;
  packets_arrived_ += sample->packets;
  if (sample->rtt > Duration::zero()) {
    standing_queue_ = std::min(standing_queue_, sample->queue_delay);
  }
  const LargeWatch::Told told{.sample = *sample,
                              .after = highest_before,
                              .highest = departures_.highest(),
                              .is_all = departures_.highest() + 1 == next,
                              .rtt = departures_.rtt()};
  if (departures_.rtt() > Duration::zero()) rtt = departures_.rtt();
  news.is_hole =
      larges_.on_feedback(told, now) || only_control_arrives(*sample, highest_before, rtt, now);
  if (has_shaper_) shape(*sample, now);
  return news;
}

void DirectPath::shape(const PathSample& sample, Timestamp now) {
  shaper_.on_sample(sample, std::exchange(is_backlogged_, false), now);
  if (shaper_.rate() != pacer_.rate()) pacer_.set_rate(shaper_.rate(), now);
}

// Large packets were sent, and the ping after them is the first thing of which the peer tells: a
// sender that has little to send, or waits to be acknowledged, gives LargeWatch nothing to count.
bool DirectPath::only_control_arrives(const PathSample& sample, std::uint64_t highest_before,
                                      Duration rtt, Timestamp now) const {
  const bool has_waited = is_awaiting_answer() && now - unanswered_since_ >= patience(rtt) / 2;
  if (!has_waited) return false;
  const std::uint64_t earlier = unanswered_.first - std::min(unanswered_.first, highest_before + 1);
  return unanswered_.has_large && sample.lost > 0 &&
         sample.packets <= earlier + unanswered_.controls;
}

}  // namespace qdt::plane
