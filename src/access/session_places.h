#pragma once

#include <atomic>
#include <cstddef>

namespace qdt::access {

/// Counts the sessions that have a place among at most so many. Any thread.
class SessionPlaces {
 public:
  /// Takes a place among `max` (0: any number); false when none is left. One that `replaces`
  /// another session is never refused: that one's place will be free in a moment.
  bool take(std::size_t max, bool replaces) {
    const std::size_t before = taken_.fetch_add(1, std::memory_order_relaxed);
    if (replaces || max == 0 || before < max) return true;
    give_back();
    return false;
  }
  void give_back() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> taken_ = 0;
};

}  // namespace qdt::access
