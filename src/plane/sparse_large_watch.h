#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "plane/departure_log.h"

namespace qdt::plane {

/// Finds what LargeWatch cannot see: a path MTU black hole that swallows the few large packets
/// among small ones that go on all the time, such as a page's requests beside a call. Looks at what
/// each feedback tells by itself: large packets among those it is about, and less arrived than one
/// of them has. Four in a row are no chance, and one outage is one feedback. Pure; one thread.
class SparseLargeWatch {
 public:
  /// A payload that not every path carries left as packet `counter`.
  void on_large(std::uint64_t counter) { latest_[count_++ % kKept] = counter; }

  /// Whether it looks like a hole; then it begins anew. `sample` tells of the packets after
  /// `before`, up to `highest`.
  bool on_sample(const PathSample& sample, std::uint64_t before, std::uint64_t highest) {
    const std::size_t kept = std::min(count_, kKept);
    const auto larges = std::count_if(latest_.begin(), latest_.begin() + kept, [&](auto counter) {
      return counter > before && counter <= highest;
    });
    if (larges == 0) return false;
    if (sample.lost < static_cast<std::uint64_t>(larges)) {
      run_ = 0;  // one came through
      return false;
    }
    run_ += sample.bytes < kEveryPath;
    if (run_ < kMinRun) return false;
    *this = {};
    return true;
  }

 private:
  static constexpr std::size_t kKept = 16;
  // A payload that every path of QUIC's carries (RFC 9000 section 14).
  static constexpr std::uint64_t kEveryPath = 1200;
  static constexpr int kMinRun = 4;

  std::array<std::uint64_t, kKept> latest_{};
  std::size_t count_ = 0;
  int run_ = 0;  // feedbacks
};

}  // namespace qdt::plane
