#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace qdt::access {

/// Divides a rate among the sessions of one user, whose peers send and have to be told how fast:
/// a session that uses all of its part is wanting, and the wanting ones share, in equal parts, what
/// the others leave. Bytes a second. Any thread.
class RateParts {
 public:
  /// What a session used lately.
  struct Use {
    std::uint64_t rate = 0;
    bool is_wanting = false;  ///< it would have used more
  };

  /// A session has told of `before`, and tells of `now`; at its beginning and end one of them is
  /// that of none.
  void replace(const Use& before, const Use& now) {
    modest_.fetch_add(modest(now) - modest(before), std::memory_order_relaxed);
    wanting_.fetch_add(wanting(now) - wanting(before), std::memory_order_relaxed);
  }

  /// The part of `rate` of a session that has told of `own` last, at least a quarter of an equal
  /// one: others may not have told yet that they use less.
  std::uint64_t part(std::uint64_t rate, const Use& own) const {
    const std::uint64_t others = modest_.load(std::memory_order_relaxed) - modest(own);
    const std::uint64_t wanting_ones = wanting_.load(std::memory_order_relaxed) - wanting(own) + 1;
    const std::uint64_t rest = others < rate ? rate - others : 0;
    return std::max({rest / wanting_ones, rate / wanting_ones / 4, std::uint64_t{1}});
  }

 private:
  static std::uint64_t modest(const Use& use) { return use.is_wanting ? 0 : use.rate; }
  static std::uint64_t wanting(const Use& use) { return use.is_wanting ? 1 : 0; }

  // Sums modulo 2^64: whatever order threads add and take away in, they end up right.
  std::atomic<std::uint64_t> modest_{0};   // what those use that want no more
  std::atomic<std::uint64_t> wanting_{0};  // how many want more
};

}  // namespace qdt::access
