#pragma once

#include <cstddef>
#include <cstdint>

#include "access/byte_share.h"
#include "access/shared_rate.h"
#include "base/time.h"
#include "tunnel/codel.h"

namespace qdt::tunnel {

/// Holds a peer to a rate that it should keep by itself: packets go through at once, but count as
/// if they stood in a queue that leaves at the rate. While that queue is longer than it should be,
/// and grows, CoDel has packets marked or dropped one by one; when it is full, every packet is. One
/// thread.
class Policer {
 public:
  enum class Verdict : std::uint8_t {
    kPass,
    kSlowDown,  ///< to be marked, if its flow understands ECN, else dropped
    kDrop,
  };
  /// A peer that keeps to what it was told is never met: its clock, and its parts of the rate,
  /// may be wrong by so much.
  static constexpr std::uint64_t kMarginPercent = 5;
  static constexpr Duration kTarget = 30ms;
  /// A second may pass until sessions that share a rate are told of each other: two that begin
  /// together are twice as fast as they should be for so long at most.
  static constexpr Duration kFull = 500ms;

  /// Lets everything pass.
  Policer() = default;
  /// `rate` outlives it. 0 bits a second: everything passes.
  Policer(access::SharedRate* rate, std::uint64_t bits_per_second)
      : rate_(bits_per_second == 0 ? nullptr : rate),
        slices_(bits_per_second * (100 + kMarginPercent) / 100, kFull) {}

  Verdict judge(std::size_t bytes, Timestamp now) {
    if (rate_ == nullptr) return Verdict::kPass;
    while (left_ <= 0) {
      if (!refill(now)) return Verdict::kDrop;
    }
    if (now >= look_at_) look(now);
    left_ -= static_cast<std::int64_t>(bytes);
    return codel_.should_drop(is_above_target_, now) ? Verdict::kSlowDown : Verdict::kPass;
  }
  /// What the peer, and those who share the rate, have sent too soon, as time.
  Duration owed(Timestamp now) const { return rate_ == nullptr ? Duration() : rate_->owed(now); }

 private:
  bool refill(Timestamp now) {
    if (now < ready_at_) return false;
    const Duration wait = rate_->take(slices_.limit, slices_.bytes, now);
    if (wait > Duration::zero()) {
      ready_at_ = now + wait;
      return false;
    }
    left_ += static_cast<std::int64_t>(slices_.bytes);
    look(now);
    return true;
  }

  void look(Timestamp now) {
    const Duration owed = rate_->owed(now);
    if (now - sampled_at_ >= kSample) {
      is_growing_ = owed > sample_;
      sample_ = owed;
      sampled_at_ = now;
    }
    is_above_target_ = owed > kTarget && is_growing_;
    look_at_ = now + kLook;
  }

  // What a packet finds that comes after a pause is not of the time before.
  static constexpr Duration kLook = 10ms;
  // Long enough that the bursts of one packet train do not count as growth.
  static constexpr Duration kSample = 50ms;

  access::SharedRate* rate_ = nullptr;
  access::ByteShare::Slices slices_;
  std::int64_t left_ = 0;
  Timestamp ready_at_;
  Duration sample_{};
  Timestamp sampled_at_;
  Timestamp look_at_;
  bool is_growing_ = false;
  bool is_above_target_ = false;
  Codel codel_;
};

}  // namespace qdt::tunnel
