#include "plane/departure_log.h"

#include <algorithm>
#include <utility>

#include "base/udp_burst.h"
#include "wire/direct_packet.h"

namespace qdt::plane {
namespace {

std::uint32_t microseconds(Timestamp time) {
  return static_cast<std::uint32_t>(time.time_since_epoch() / 1us);
}

}  // namespace

std::expected<PathSample, Drop> DepartureLog::on_feedback(const wire::Feedback& feedback,
                                                          Timestamp now) {
  const bool is_old = has_last_ && feedback.highest <= last_.highest;
  if (is_old) return std::unexpected(Drop::kReplayed);
  const std::uint64_t newly = feedback.highest - (has_last_ ? last_.highest : 0) + !has_last_;
  const std::uint32_t packets = feedback.packets - last_.packets;
  const std::uint32_t marked = feedback.marked - last_.marked;
  const std::uint64_t bytes = feedback.bytes - last_.bytes;
  const bool is_credible = feedback.highest < next_ && packets > 0 &&
                           packets <= newly + kReordered && marked <= packets &&
                           bytes >= packets * std::uint64_t{wire::kDirectOverhead} &&
                           bytes <= packets * std::uint64_t{UdpSendQueue::kMaxPayloadBytes};
  if (!is_credible) return std::unexpected(Drop::kBadFeedback);

  const Entry* sent = find(feedback.highest);
  const Duration held = feedback.held_us * 1us;
  if (sent != nullptr && now - sent->time < held) return std::unexpected(Drop::kBadFeedback);

  PathSample sample{
      .bytes = bytes,
      .packets = packets,
      .lost = static_cast<std::uint32_t>(newly - std::min<std::uint64_t>(newly, packets)),
      .marked = marked};
  // Not longer than it can have been, whatever the peer's clock says: it may have gone on while
  // this host slept.
  if (has_last_) {
    sample.over =
        std::min<Duration>((feedback.arrived_us - last_.arrived_us) * 1us, now - last_sent_);
  }
  if (sent != nullptr) {
    sample.sent = sent->time;
    sample.rtt = now - sent->time - held;
    sample.queue_delay = queue_delay(feedback.arrived_us, sent->time, now);
    rtt_ = rtt_ == Duration::zero() ? sample.rtt : (7 * rtt_ + sample.rtt) / 8;
    spacing_ = std::max(kMinSpacing, rtt_ / static_cast<int>(kEntries / 2));
  } else {
    spacing_ = std::min(2 * spacing_, kMaxSpacing);  // the round trip is longer than what is kept
  }
  last_sent_ = sent != nullptr ? sent->time : Timestamp{};
  last_ = feedback;
  has_last_ = true;
  return sample;
}

void DepartureLog::shrink(Timestamp now) {
  if (entries_.size() > kLeastEntries && now - latest().time > kBusyTime) resize(kLeastEntries);
}

void DepartureLog::resize(std::size_t entries) {
  std::vector<Entry> resized(entries);
  const std::uint64_t kept = std::min<std::uint64_t>({count_, entries_.size(), entries});
  for (std::uint64_t i = count_ - kept; i < count_; ++i) resized[i % entries] = place_of(i);
  entries_ = std::move(resized);
}

const DepartureLog::Entry* DepartureLog::find(std::uint64_t counter) const {
  const std::uint64_t oldest = count_ > entries_.size() ? count_ - entries_.size() : 0;
  std::uint64_t low = oldest;
  std::uint64_t high = count_;  // the first entry that is later than `counter`
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (place_of(middle).first <= counter) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == oldest ? nullptr : &place_of(low - 1);
}

Duration DepartureLog::queue_delay(std::uint32_t arrived_us, Timestamp sent, Timestamp now) {
  const std::uint32_t raw = arrived_us - microseconds(sent);
  if (!has_offset_) {
    offset_us_ = raw;
    has_offset_ = true;
    base_began_ = now;
  }
  const std::int64_t delay = static_cast<std::int32_t>(raw - offset_us_);
  if (now - base_began_ >= kBaseWindow) {
    base_us_[1] = base_us_[0];
    has_base_[1] = has_base_[0];
    has_base_[0] = false;
    base_began_ = now;
  }
  base_us_[0] = has_base_[0] ? std::min(base_us_[0], delay) : delay;
  has_base_[0] = true;
  const std::int64_t base = has_base_[1] ? std::min(base_us_[0], base_us_[1]) : base_us_[0];
  return Duration((delay - base) * 1000);
}

void DepartureLog::forget_path() {
  has_offset_ = false;
  has_base_[0] = has_base_[1] = false;
  rtt_ = {};
}

}  // namespace qdt::plane
