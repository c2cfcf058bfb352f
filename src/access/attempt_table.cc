#include "access/attempt_table.h"

#include <algorithm>
#include <bit>
#include <span>

namespace qdt::access {
namespace {

// Longer is as good as never, and no sum of such overflows.
constexpr double kMaxIntervalSeconds = 24 * 3600;
constexpr double kMaxBurstSeconds = 1e9;

Duration in_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

PacedLimit::PacedLimit(const RateLimit& limit) {
  if (limit.is_unlimited()) return;
  interval_ = std::max<Duration>(in_seconds(std::min(1 / limit.per_second, kMaxIntervalSeconds)),
                                 Duration(1));
  const double burst_seconds =
      std::chrono::duration<double>(interval_).count() * (std::max(limit.burst, 1.0) - 1);
  burst_ = in_seconds(std::min(burst_seconds, kMaxBurstSeconds));
}

std::optional<Duration> PacedLimit::take(Timestamp& next_turn, Timestamp now,
                                         std::size_t max_waiting) const {
  const auto most = static_cast<std::int64_t>(max_waiting);
  next_turn = std::min(next_turn, now + burst_ + interval_ * (most + 1));
  const Timestamp turn = std::max(next_turn, now);
  const Duration wait = turn - now - burst_;
  if (wait > interval_ * most) return std::nullopt;
  next_turn = turn + interval_;
  return std::max(wait, Duration::zero());
}

AttemptTable::AttemptTable(const Options& options)
    : options_(options),
      limit_(options.limit),
      sets_(std::bit_ceil(std::max<std::size_t>(options.entries / kPlaces, 1))),
      entries_(std::make_unique<Entry[]>(sets_ * kPlaces)) {}

void AttemptTable::use(const RateLimit& limit, Duration ttl) {
  options_.limit = limit;
  options_.ttl = ttl;
  limit_ = PacedLimit(limit);
}

std::optional<Duration> AttemptTable::take(std::uint64_t key, Timestamp now,
                                           std::size_t max_waiting) {
  if (options_.limit.is_unlimited()) return Duration::zero();
  Entry& entry = place_of(key, now);
  entry.last_attempt = now;
  return limit_.take(entry.next_turn, now, max_waiting);
}

AttemptTable::Entry& AttemptTable::place_of(std::uint64_t key, Timestamp now) {
  // Murmur3's finalizer: each bit of the result depends on all of the key.
  std::uint64_t hash = key ^ options_.seed;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  const std::span set(&entries_[((hash >> 32) & (sets_ - 1)) * kPlaces], kPlaces);

  Entry* place = nullptr;
  for (Entry& entry : set) {
    if (is_forgotten(entry, now)) entry = {};
    if (entry.key == key && entry.next_turn != Timestamp{}) return entry;
    if (place == nullptr || entry.next_turn < place->next_turn) place = &entry;
  }
  const bool inherits = options_.newcomer == Newcomer::kInheritsDebt;
  *place = {
      .key = key, .next_turn = inherits ? place->next_turn : Timestamp{}, .last_attempt = now};
  return *place;
}

}  // namespace qdt::access
