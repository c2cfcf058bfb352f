#pragma once

// The loops of sum_words.h, to be inlined where they are compiled for one kind of processor or
// another: the compiler makes vectors of them.

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace qdt::wire {

[[gnu::always_inline]] inline std::uint64_t sum_words_loop(const std::uint8_t* from,
                                                           std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t word;
    std::memcpy(&word, from + 4 * i, sizeof word);
    sum += word;
  }
  return sum;
}

[[gnu::always_inline]] inline std::uint64_t copy_and_sum_words_loop(
    std::uint8_t* __restrict to, const std::uint8_t* __restrict from, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t word;
    std::memcpy(&word, from + 4 * i, sizeof word);
    std::memcpy(to + 4 * i, &word, sizeof word);
    sum += word;
  }
  return sum;
}

}  // namespace qdt::wire
