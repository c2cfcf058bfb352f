#include "wire/sum_words.h"
#include "wire/sum_words_loop.h"

namespace qdt::wire {

std::uint64_t sum_words(const std::uint8_t* from, std::size_t count) {
  return sum_words_loop(from, count);
}

std::uint64_t copy_and_sum_words(std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
  return copy_and_sum_words_loop(to, from, count);
}

}  // namespace qdt::wire
