#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "wire/direct_frame.h"

namespace qdt::plane {

/// The log of the direct plane's arrived packets, and when the peer is to hear of it
/// (docs/protocol-v1.md section 7, Feedback). Pure: time goes in. One thread.
class ArrivalLog {
 public:
  static constexpr Duration kMinInterval = 2ms;
  static constexpr Duration kMaxInterval = 25ms;

  /// An authentic packet of `bytes`. `asks` for feedback unless there is only feedback in it.
  void on_packet(std::uint64_t counter, bool is_newest, std::size_t bytes, bool is_marked,
                 bool asks, Timestamp now) {
    if (is_newest) {
      feedback_.highest = counter;
      arrived_ = now;
    }
    ++feedback_.packets;
    feedback_.bytes += bytes;
    if (is_marked) ++feedback_.marked;
    if (asks && due_ == kNever) due_ = std::max(now + patience_, last_told_ + interval_);
  }

  std::uint64_t highest() const { return feedback_.highest; }

  /// Nothing is told until resume(): the latest times are of a path that may not be the peer's.
  void pause() { is_paused_ = true; }
  void resume() { is_paused_ = false; }

  /// Feedback is sent each quarter of the round trip, within limits. On a short path the first
  /// after a silence waits for a packet to ride in: the answer to a request leaves within that
  /// time, as a rule. By itself it would be sent before the request is handed on, and wake the peer
  /// once more while somebody waits (an idle ping took 0.34 ms instead of 0.27).
  void set_rtt(Duration rtt) {
    interval_ = std::clamp(rtt / 4, kMinInterval, kMaxInterval);
    patience_ = interval_ == kMinInterval ? kMinInterval : Duration::zero();
  }

  /// When the next feedback is due; kNever when there is nothing to tell.
  Timestamp due() const { return is_paused_ ? kNever : due_; }
  /// Whether feedback is worth its bytes in a packet that leaves anyway.
  bool may_ride(Timestamp now) const {
    return due() != kNever && now >= last_told_ + interval_ / 2;
  }

  /// The feedback that is due now.
  wire::Feedback take(Timestamp now) {
    due_ = kNever;
    last_told_ = now;
    feedback_.arrived_us = microseconds(arrived_.time_since_epoch());
    feedback_.held_us = microseconds(now - arrived_);
    return feedback_;
  }

 private:
  static std::uint32_t microseconds(Duration duration) {
    return static_cast<std::uint32_t>(duration / 1us);
  }

  wire::Feedback feedback_;
  Timestamp arrived_;
  Timestamp last_told_;
  Timestamp due_ = kNever;
  bool is_paused_ = false;
  Duration interval_ = kMaxInterval;
  Duration patience_{};
};

}  // namespace qdt::plane
