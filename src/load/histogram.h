#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace qdt::load {

/// How long things took: counts in buckets whose width is at most 1/64 of their value, so that a
/// percentile is true to 1.6 %, from a nanosecond to a day. A value of 22 KiB; one thread.
class Histogram {
 public:
  void add(Duration time) {
    const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(time.count(), 0));
    ++counts_[bucket_of(std::min(value, kMost))];
    ++count_;
    most_ = std::max(most_, time);
  }

  std::uint64_t count() const { return count_; }
  Duration most() const { return most_; }

  /// The time that `share` (0 to 1) of them took at most; zero where there are none.
  Duration percentile(double share) const {
    const auto wanted = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; count_ > 0 && i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(Duration(upper_end(i)), most_);
    }
    return Duration::zero();
  }

 private:
  static constexpr unsigned kBits = 6;  // of a value, below its highest
  static constexpr std::uint64_t kPerOctave = 1U << kBits;
  static constexpr std::uint64_t kMost = (1ULL << 47) - 1;
  static constexpr std::size_t kBuckets = kPerOctave * (47 - kBits + 1);

  // The first two octaves of buckets are a value each.
  static std::size_t bucket_of(std::uint64_t value) {
    const unsigned shift = value < kPerOctave ? 0 : std::bit_width(value) - 1 - kBits;
    return shift * kPerOctave + (value >> shift);
  }
  static std::int64_t upper_end(std::size_t bucket) {
    const std::size_t shift = bucket < 2 * kPerOctave ? 0 : bucket / kPerOctave - 1;
    const std::uint64_t begin = (bucket - shift * kPerOctave) << shift;
    return static_cast<std::int64_t>(begin + (1ULL << shift) - 1);
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration most_{};
};

}  // namespace qdt::load
