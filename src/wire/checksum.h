#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace qdt::wire {

/// The Internet checksum (RFC 1071) in pieces: add ranges, then finish. Every range but the last
/// has an even length.
class Checksum {
 public:
  constexpr Checksum() = default;
  Checksum& add(Bytes range);
  /// Adds `range` and copies it to the beginning of `to`, reading it once.
  Checksum& add_copying(Bytes range, MutableBytes to);
  Checksum& add(std::uint16_t word) {
    sum_ += word;
    return *this;
  }
  /// The complement to be stored in a header, in host order. Over a range that contains a correct
  /// checksum it is 0.
  std::uint16_t finish() const { return static_cast<std::uint16_t>(~sum()); }
  /// The sum itself, for whoever goes on adding: what a pseudo-header leaves in a checksum field
  /// when the rest is somebody else's work.
  std::uint16_t sum() const;

 private:
  Checksum& add_rest(Bytes rest);

  std::uint64_t sum_ = 0;
};

}  // namespace qdt::wire
