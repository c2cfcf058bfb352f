#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"
#include "base/udp_burst.h"

namespace qdt::quic {

/// Cuts what a connection sends into bursts that fit its rate: a millisecond's worth, two packets
/// at least, 64 KiB at most. Paced by the packet, each would wait for a timer of its own, which
/// comes late, and BBR then never measures more than the timers let through (390 Mbit/s where the
/// CPU was idle).
///
/// The time between bursts is the engine's affair, but for one thing: until BBR has met the path's
/// limit, which an application may never ask for, it paces by a guess of some hundred Mbit/s. So
/// here nothing leaves faster than a window in half a round trip, as in the slow start of Linux's
/// TCP (tcp_pacing_ss_ratio); where the engine knows a rate, its own is slower.
class BurstPacer {
 public:
  /// Acknowledgements wait as well meanwhile: less than the 25 ms that a peer expects at most.
  static constexpr Duration kMaxHold = 10ms;

  /// Something of `bytes` was written.
  void count(std::size_t bytes) { unpaced_bytes_ += bytes; }
  /// Whether what was written makes a burst.
  bool is_complete() const { return unpaced_bytes_ >= burst_bytes_; }

  /// Ends the burst. `quantum_bytes` is what the engine wants to leave at once; `rtt` is zero while
  /// it is not known.
  void end(std::size_t quantum_bytes, std::uint64_t window_bytes, Duration rtt, Timestamp now) {
    const std::size_t bytes = std::exchange(unpaced_bytes_, 0);
    burst_bytes_ = quantum_bytes;
    next_burst_ = now;
    if (rtt <= Duration::zero() || window_bytes == 0) return;
    const double bytes_per_second =
        2 * static_cast<double>(window_bytes) / std::chrono::duration<double>(rtt).count();
    const std::chrono::duration<double> wait(static_cast<double>(bytes) / bytes_per_second);
    next_burst_ += wait < kMaxHold ? std::chrono::duration_cast<Duration>(wait) : kMaxHold;
    // Half a millisecond's worth of twice the window's rate.
    const double fitting = std::min(bytes_per_second / 2000, static_cast<double>(quantum_bytes));
    burst_bytes_ = std::max(static_cast<std::size_t>(fitting), std::min(kMinBytes, quantum_bytes));
  }

  /// Whether a burst has to wait; then for next_burst(), and nothing else is to be written before,
  /// for the engine takes an empty queue for the application's limit.
  bool hold(Timestamp now) {
    is_holding_ = now < next_burst_;
    return is_holding_;
  }
  bool is_holding() const { return is_holding_; }
  Timestamp next_burst() const { return next_burst_; }

 private:
  static constexpr std::size_t kMinBytes = 2 * UdpSendQueue::kMaxPayloadBytes;

  std::size_t unpaced_bytes_ = 0;
  std::size_t burst_bytes_ = 0;
  Timestamp next_burst_{};
  bool is_holding_ = false;
};

}  // namespace qdt::quic
