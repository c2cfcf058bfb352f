#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace qdt::wire {

/// Remembers which of the newest kSize counters have been seen (RFC 6479: a ring of words, so that
/// moving the window clears words instead of shifting bits). Check before opening a datagram,
/// mark after: only what is authentic moves the window.
template <std::size_t kSize>
class ReplayWindow {
 public:
  static_assert(std::has_single_bit(kSize) && kSize >= 64);

  /// False for a counter that was marked before, or is kSize or more behind the highest.
  bool accepts(std::uint64_t counter) const {
    if (counter > highest_) return true;
    if (highest_ - counter >= kSize) return false;
    return (word(counter) & bit(counter)) == 0;
  }

  /// Takes note of an authentic `counter` that accepts() allowed.
  void mark(std::uint64_t counter) {
    if (counter > highest_) {
      const std::uint64_t words_ahead = counter / 64 - highest_ / 64;
      for (std::uint64_t i = 1; i <= words_ahead && i <= kWords; ++i) {
        words_[(highest_ / 64 + i) % kWords] = 0;
      }
      highest_ = counter;
    }
    words_[counter / 64 % kWords] |= bit(counter);
  }

  std::uint64_t highest() const { return highest_; }

 private:
  // One word more would do; twice as many keeps the index a mask.
  static constexpr std::size_t kWords = 2 * kSize / 64;

  std::uint64_t word(std::uint64_t counter) const { return words_[counter / 64 % kWords]; }
  static std::uint64_t bit(std::uint64_t counter) { return std::uint64_t{1} << counter % 64; }

  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, kWords> words_{};
};

}  // namespace qdt::wire
