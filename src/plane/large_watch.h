#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"
#include "plane/departure_log.h"
#include "quic/path_mtu.h"

namespace qdt::plane {

/// Suspects from feedback that a path's large packets die while its small ones live, a path MTU
/// black hole (RFC 8899 section 4.3), which the QUIC connection, whose packets are few then, would
/// not notice. A suspicion costs a few probes of the connection's, which finds out. Three looks at
/// the same feedback, for senders with many packets in flight, with few, and with few large ones
/// among small ones that go on all the time. Pure; one thread.
class LargeWatch {
 public:
  /// Whether a path that carries QUIC may be too narrow for a payload of `bytes`.
  static constexpr bool is_large(std::size_t bytes) { return bytes > kEveryPath; }

  /// Packet `counter` left, in a payload of `bytes`.
  void on_sent(std::uint64_t counter, std::size_t bytes) {
    untold_.bytes += static_cast<std::int64_t>(bytes);
    ++untold_.packets;
    if (!is_large(bytes)) return;
    ++window_.larges;
    ++untold_.larges;
    latest_[count_++ % kKept] = counter;
  }

  /// One feedback.
  struct Told {
    PathSample sample;
    std::uint64_t after = 0;    ///< it tells of the packets after this one,
    std::uint64_t highest = 0;  ///< up to this one
    bool is_all = false;        ///< nothing was sent of which the peer has not told yet
    Duration rtt{};
  };
  /// Whether it looks like a hole; then the watch begins anew.
  bool on_feedback(const Told& told, Timestamp now) {
    untold_.bytes -= static_cast<std::int64_t>(told.sample.bytes);
    untold_.packets -= told.sample.packets;
    const bool is_hole =
        look_at_window(told, now) || (told.is_all && look_at_run()) || look_at_few(told);
    if (is_hole) *this = {};
    return is_hole;
  }

  /// Nothing came through for a while, large or small: what was lost then says nothing.
  void forget_losses() {
    window_ = {};
    untold_ = {};
    run_ = 0;
  }

 private:
  static constexpr std::size_t kEveryPath = quic::PathMtu::kBaseBytes;
  static constexpr Duration kMinTime = 200ms;
  static constexpr std::uint64_t kMinLost = 4;
  static constexpr std::uint64_t kSmallBytes = 500;
  static constexpr std::uint64_t kMinRun = 2;
  static constexpr std::size_t kKept = 16;
  static constexpr int kMinFeedbacks = 4;

  // A sender with many in flight: as many were lost as large ones were sent, and what arrived was
  // small.
  bool look_at_window(const Told& told, Timestamp now) {
    if (window_.began == Timestamp{}) window_.began = now;
    window_.bytes += told.sample.bytes;
    window_.packets += told.sample.packets;
    window_.lost += told.sample.lost;
    if (now - window_.began < std::max(kMinTime, told.rtt)) return false;
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

  // Few large ones among small ones that go on all the time, such as a page's requests beside a
  // call. Each feedback by itself: large packets among those it is about, and less arrived than one
  // of them has. Four in a row are no chance, and one outage is one feedback.
  bool look_at_few(const Told& told) {
    const std::size_t kept = std::min(count_, kKept);
    const auto larges = std::count_if(latest_.begin(), latest_.begin() + kept, [&](auto counter) {
      return counter > told.after && counter <= told.highest;
    });
    if (larges == 0) return false;
    if (told.sample.lost < static_cast<std::uint64_t>(larges)) {
      feedbacks_ = 0;  // one came through
      return false;
    }
    feedbacks_ += told.sample.bytes < kEveryPath;
    return feedbacks_ >= kMinFeedbacks;
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
  std::uint64_t run_ = 0;                      // large ones that were lost one after the other
  std::array<std::uint64_t, kKept> latest_{};  // large ones
  std::size_t count_ = 0;
  int feedbacks_ = 0;  // in a row that told of lost large ones alone
};

}  // namespace qdt::plane
