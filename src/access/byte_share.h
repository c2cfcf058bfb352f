#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "access/shared_rate.h"
#include "base/time.h"

namespace qdt::access {

/// The part of a rate in bits that one session sends by. It takes two milliseconds' worth of the
/// SharedRate at a time, so that a packet costs no atomic operation, and a packet that is larger
/// than what is left goes whole: the next ones wait longer for it. One thread.
class ByteShare {
 public:
  /// Lets everything pass.
  ByteShare() = default;
  /// `rate` outlives it. 0 bits a second: everything passes.
  ByteShare(SharedRate* rate, std::uint64_t bits_per_second)
      : rate_(bits_per_second == 0 ? nullptr : rate), slices_(bits_per_second) {}

  bool is_limited() const { return rate_ != nullptr; }

  /// Whether a packet may go now, of whatever size.
  bool may_send(Timestamp now) { return rate_ == nullptr || left_ > 0 || refill(now); }
  /// A packet has gone.
  void spend(std::size_t bytes) { left_ -= static_cast<std::int64_t>(bytes); }
  /// Once may_send() was false: when to ask again.
  Timestamp ready_at() const { return ready_at_; }

  /// How a rate in bits is taken from a SharedRate, whose unit is bytes then.
  struct Slices {
    static constexpr Duration kSlice = 2ms;
    /// What a session may send at once that was idle, or whose thread was late.
    static constexpr Duration kBurst = 20ms;
    static constexpr double kLeastBytes = 1500;  // a packet

    Slices() = default;
    explicit Slices(std::uint64_t bits_per_second, Duration burst = kBurst)
        : limit{.per_second = static_cast<double>(bits_per_second) / 8, .burst = 0},
          bytes(static_cast<std::uint64_t>(std::max(worth_of(kSlice), kLeastBytes))) {
      limit.burst = std::max(worth_of(burst), 2 * static_cast<double>(bytes));
    }
    double worth_of(Duration time) const {
      return limit.per_second * std::chrono::duration<double>(time).count();
    }

    RateLimit limit;
    std::uint64_t bytes = 0;  ///< in a slice
  };

 private:
  bool refill(Timestamp now) {
    while (left_ <= 0) {
      if (now < ready_at_) return false;
      const Duration wait = rate_->take(slices_.limit, slices_.bytes, now);
      if (wait > Duration::zero()) {
        ready_at_ = now + wait;
        return false;
      }
      left_ += static_cast<std::int64_t>(slices_.bytes);
    }
    return true;
  }

  SharedRate* rate_ = nullptr;
  Slices slices_;
  std::int64_t left_ = 0;
  Timestamp ready_at_;
};

}  // namespace qdt::access
