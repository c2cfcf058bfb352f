#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "base/udp_burst.h"

namespace qdt::quic {

/// Whether the congestion marks (CE) that a path's payloads arrive with tell of congestion. A queue
/// marks some of what passes it; a router that overwrites the whole TOS byte, or its ECN bits,
/// marks all. Such marks are disregarded, or no sender would ever leave its slowest rate (RFC 9000
/// section 13.4.2 leaves it to the endpoint what it makes of mangled marks). Pure: time goes in.
/// One thread.
class MarkWatch {
 public:
  /// The meaning of `ecn` on a payload: a mark that means nothing is none.
  Ecn judge(Ecn ecn) {
    ++payloads_;
    ++since_drop_;
    if (ecn != Ecn::kCe) return ecn;
    ++marked_;
    // The first packets of a path: no queue has marked all of them, before anyone sends much.
    if (is_new_ && payloads_ == kFirstPayloads) is_mangled_ = marked_ == payloads_;
    return is_mangled_ ? Ecn::kNotEct : ecn;
  }

  /// Whether enough has come to draw conclusions; then end_window() does.
  bool is_window_over(Timestamp now) const { return payloads_ >= kMinPayloads && now >= ends_; }
  void end_window(Duration rtt, Timestamp now) {
    const bool is_mostly_marked = marked_ * 8 >= payloads_ * 7;
    all_marked_ = is_mostly_marked ? all_marked_ + 1 : 0;
    if (all_marked_ >= kWindows) is_mangled_ = true;
    if (marked_ * 2 < payloads_) is_mangled_ = false;
    is_new_ = false;
    payloads_ = marked_ = 0;
    ends_ = now + std::max(kMinWindow, kRoundTrips * rtt);
  }

  /// Every packet is marked, or was lately.
  bool is_mangled() const { return is_mangled_; }

  /// Whether a packet that bears a mark which it does not understand may be dropped for it (RFC
  /// 6040 section 4.2): now and then, as CoDel would, never more than a small share, and none while
  /// most packets come marked.
  bool may_drop(Timestamp now) {
    const bool is_too_soon = since_drop_ < kPayloadsForDrop || now - dropped_ < kDropInterval;
    if (is_mangled_ || is_too_soon || marked_ * 2 > payloads_) return false;
    since_drop_ = 0;
    dropped_ = now;
    return true;
  }

 private:
  static constexpr std::uint32_t kFirstPayloads = 10;
  static constexpr std::uint32_t kMinPayloads = 16;
  static constexpr Duration kMinWindow = 1s;
  static constexpr int kRoundTrips = 4;
  static constexpr int kWindows = 2;
  static constexpr std::uint32_t kPayloadsForDrop = 64;
  static constexpr Duration kDropInterval = 100ms;

  std::uint32_t payloads_ = 0;  // of this window
  std::uint32_t marked_ = 0;
  std::uint32_t since_drop_ = 0;
  int all_marked_ = 0;  // windows in a row
  bool is_new_ = true;
  bool is_mangled_ = false;
  Timestamp ends_;  // the first ends with its payloads
  Timestamp dropped_;
};

}  // namespace qdt::quic
