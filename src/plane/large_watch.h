#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"
#include "plane/departure_log.h"

namespace qdt::plane {

/// Suspects from feedback that the direct plane's large packets die while its small ones live, a
/// path MTU black hole (RFC 8899 section 4.3), which the QUIC connection, whose packets are few
/// then, would not notice. A suspicion costs a few probes. Pure; one thread.
class LargeWatch {
 public:
  void on_sent(std::size_t bytes) {
    const bool is_large = bytes > kEveryPath;
    window_.larges += is_large;
    untold_.larges += is_large;
    untold_.bytes += static_cast<std::int64_t>(bytes);
    ++untold_.packets;
  }

  /// Whether it looks like a hole; then it begins anew. `is_all_told`: nothing was sent of which
  /// the peer has not told yet.
  bool on_sample(const PathSample& sample, bool is_all_told, Duration rtt, Timestamp now) {
    untold_.bytes -= static_cast<std::int64_t>(sample.bytes);
    untold_.packets -= sample.packets;
    const bool is_hole = look_at_window(sample, rtt, now) || (is_all_told && look_at_run());
    if (is_hole) *this = {};
    return is_hole;
  }

 private:
  // A payload that every path of QUIC's carries (RFC 9000 section 14).
  static constexpr std::size_t kEveryPath = 1200;
  static constexpr Duration kMinTime = 200ms;
  static constexpr std::uint64_t kMinLost = 4;
  static constexpr std::uint64_t kSmallBytes = 500;
  static constexpr std::uint64_t kMinRun = 2;

  // A sender with many in flight: as many were lost as large ones were sent, and what arrived was
  // small.
  bool look_at_window(const PathSample& sample, Duration rtt, Timestamp now) {
    if (window_.began == Timestamp{}) window_.began = now;
    window_.bytes += sample.bytes;
    window_.packets += sample.packets;
    window_.lost += sample.lost;
    if (now - window_.began < std::max(kMinTime, rtt)) return false;
    const Window last = std::exchange(window_, {});
    return last.larges >= kMinLost && last.lost >= kMinLost && 10 * last.lost >= 7 * last.larges &&
           last.bytes < last.packets * kSmallBytes;
  }

  // A sender with few in flight, which waits for acknowledgements: its losses are known to
  // the byte then.
  bool look_at_run() {
    const Untold lost = std::exchange(untold_, {});
    if (lost.larges == 0) return false;
    const auto larges = static_cast<std::int64_t>(lost.larges);
    const bool are_all_lost =
        lost.packets >= larges && lost.bytes > larges * static_cast<std::int64_t>(kEveryPath);
    run_ = are_all_lost ? run_ + lost.larges : 0;
    return run_ >= kMinRun;
  }

  struct Window {
    Timestamp began;
    std::uint64_t larges = 0;
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t lost = 0;
  };
  // Sent, less what arrived.
  struct Untold {
    std::uint64_t larges = 0;
    std::int64_t bytes = 0;
    std::int64_t packets = 0;
  };
  Window window_;
  Untold untold_;
  std::uint64_t run_ = 0;  // large ones that were lost one after the other
};

}  // namespace qdt::plane
