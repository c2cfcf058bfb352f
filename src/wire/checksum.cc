#include "wire/checksum.h"

#include <bit>
#include <cassert>

#include "wire/sum_words.h"

namespace qdt::wire {
namespace {

std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t to_big_endian(std::uint16_t word) {
  return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}

}  // namespace

// The sum is the same in either byte order but for the order of its own bytes (RFC 1071, section
// 2 B). So words are taken as they lie, the carries gathering in the upper half.
Checksum& Checksum::add(Bytes range) {
  const std::size_t words = range.size() / 4;
  sum_ += to_big_endian(fold(sum_words(range.data(), words)));
  return add_rest(range.subspan(4 * words));
}

Checksum& Checksum::add_copying(Bytes range, MutableBytes to) {
  assert(to.size() >= range.size());
  const std::size_t words = range.size() / 4;
  sum_ += to_big_endian(fold(copy_and_sum_words(to.data(), range.data(), words)));
  const Bytes rest = range.subspan(4 * words);
  append(to.subspan(4 * words), rest);
  return add_rest(rest);
}

// At most three bytes.
Checksum& Checksum::add_rest(Bytes rest) {
  if (rest.size() >= 2) sum_ += load_be<std::uint16_t>(rest.data());
  if (rest.size() % 2 != 0) sum_ += static_cast<std::uint64_t>(rest.back()) << 8;
  return *this;
}

std::uint16_t Checksum::sum() const {
  return fold(sum_);
}

}  // namespace qdt::wire
