#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"
#include "base/token_bucket.h"

namespace qdt::access {

/// A rate that the sessions of one user share, in whatever shards they are. Its whole state is the
/// time at which everything taken so far is paid for. Any thread.
class SharedRate {
 public:
  /// Takes `count` at once, and returns zero, if `limit` allows; else takes nothing, and returns
  /// how long to wait before asking again. `count` is at most `limit.burst`. The limit may be
  /// another one each time.
  Duration take(const RateLimit& limit, std::uint64_t count, Timestamp now) {
    const Duration cost = in_time(static_cast<double>(count) / limit.per_second);
    const Duration burst = in_time(std::max(limit.burst, 1.0) / limit.per_second);
    // With a slower limit before, more may be owed than this one ever lets anybody owe.
    const std::int64_t most = (now + burst).time_since_epoch().count();
    std::int64_t paid = paid_.load(std::memory_order_relaxed);
    while (paid > most) paid_.compare_exchange_weak(paid, most, std::memory_order_relaxed);
    for (;;) {
      const std::int64_t next = std::max(paid, now.time_since_epoch().count()) + cost.count();
      if (next > most) return Duration(next - most);
      if (paid_.compare_exchange_weak(paid, next, std::memory_order_relaxed)) return {};
    }
  }
  /// How long what was taken will take to be paid for: what waits in a queue that leaves at the
  /// rate, as time.
  Duration owed(Timestamp now) const {
    const std::int64_t paid = paid_.load(std::memory_order_relaxed);
    return Duration(std::max<std::int64_t>(paid - now.time_since_epoch().count(), 0));
  }

 private:
  // A limit this slow is a refusal, and no sum of such times overflows.
  static constexpr double kMaxSeconds = 1e9;
  static Duration in_time(double seconds) {
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::min(seconds, kMaxSeconds)));
  }

  std::atomic<std::int64_t> paid_{0};
};

/// The part of a SharedRate that one session uses. It takes some packets' worth at a time, so that
/// a packet costs no atomic operation, neither while there is plenty nor while there is nothing.
/// One thread.
class RateShare {
 public:
  /// Lets everything pass.
  RateShare() = default;
  /// `rate` outlives it; null, or a `limit` that is unlimited: everything passes.
  RateShare(SharedRate* rate, const RateLimit& limit)
      : rate_(limit.is_unlimited() ? nullptr : rate), limit_(limit), portion_(portion_of(limit)) {}

  /// Whether one more packet may pass now; if so, it has.
  bool take(Timestamp now) {
    if (rate_ == nullptr) return true;
    if (held_ == 0 && !refill(now)) return false;
    --held_;
    return true;
  }

 private:
  // A millisecond's worth, and little of the burst, because what one session holds no other can
  // use.
  static std::uint64_t portion_of(const RateLimit& limit) {
    constexpr double kPortionsPerSecond = 1000;
    constexpr double kPortionsOfBurst = 8;
    constexpr double kMax = 64;
    const double portion =
        std::min({limit.per_second / kPortionsPerSecond, limit.burst / kPortionsOfBurst, kMax});
    return static_cast<std::uint64_t>(std::max(portion, 1.0));
  }
  bool refill(Timestamp now) {
    if (now < ask_at_) return false;
    const Duration wait = rate_->take(limit_, portion_, now);
    if (wait > Duration::zero()) {
      ask_at_ = now + wait;
      return false;
    }
    held_ = portion_;
    return true;
  }

  SharedRate* rate_ = nullptr;
  RateLimit limit_;
  std::uint64_t portion_ = 1;
  std::uint64_t held_ = 0;
  Timestamp ask_at_;
};

}  // namespace qdt::access
