#include "wire/sum_words.h"
#include "wire/sum_words_loop.h"

namespace qdt::wire {
namespace {

[[gnu::target("avx2")]] std::uint64_t sum_words_avx2(const std::uint8_t* from, std::size_t count) {
  return sum_words_loop(from, count);
}

[[gnu::target("avx2")]] std::uint64_t copy_and_sum_words_avx2(std::uint8_t* to,
                                                              const std::uint8_t* from,
                                                              std::size_t count) {
  return copy_and_sum_words_loop(to, from, count);
}

// Every processor of the last ten years; one load and a test.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0;
}

}  // namespace

std::uint64_t sum_words(const std::uint8_t* from, std::size_t count) {
  return has_avx2() ? sum_words_avx2(from, count) : sum_words_loop(from, count);
}

std::uint64_t copy_and_sum_words(std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
  return has_avx2() ? copy_and_sum_words_avx2(to, from, count)
                    : copy_and_sum_words_loop(to, from, count);
}

}  // namespace qdt::wire
