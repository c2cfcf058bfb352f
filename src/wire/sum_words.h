#pragma once

#include <cstddef>
#include <cstdint>

namespace qdt::wire {

/// The sum of `count` words of 32 bits, in this machine's byte order, which may lie anywhere. At
/// most 2^32 of them, so that nothing is carried out of it. Compiled from sum_words_x86.cc for
/// x86-64, from sum_words_portable.cc elsewhere.
std::uint64_t sum_words(const std::uint8_t* from, std::size_t count);
/// The same, and copies them to `to`, which does not overlap.
std::uint64_t copy_and_sum_words(std::uint8_t* to, const std::uint8_t* from, std::size_t count);

}  // namespace qdt::wire
