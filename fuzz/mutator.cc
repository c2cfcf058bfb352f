// libFuzzer's hooks of the targets whose inputs are programs.

#include "program.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return qdt::fuzz::mutate_program(data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t out_size,
                                                 unsigned seed) {
  return qdt::fuzz::cross_programs({a, a_size}, {b, b_size}, {out, out_size}, seed);
}
