#pragma once

#include <random>

#include "base/random.h"

namespace qdt::testing {

/// Random numbers that are the same in every run with the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}

  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }
  /// True with probability `chance`.
  bool happens(double chance) { return std::bernoulli_distribution(chance)(engine_); }
  /// A number from 0 up to, not including, `end`.
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace qdt::testing
