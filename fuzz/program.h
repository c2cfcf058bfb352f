#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "support/raw_quic.h"

namespace qdt::fuzz {

using testing::ByteReader;
using testing::ByteVector;
using testing::ByteWriter;

/// A fuzzer's input as a programme: a byte of settings, then steps, each `kind | length |
/// arguments`, where a length of 255 stands for a longer one in the two bytes behind it. Every
/// input is a programme: what is missing at the end counts as zeros, and kinds wrap around.
class Program {
 public:
  struct Step {
    std::uint8_t kind = 0;
    Bytes arguments;
    Bytes bytes;  ///< all of it
  };

  explicit Program(Bytes input);
  std::uint8_t settings() const { return settings_; }
  /// The argument of the first step, where that is of `kind`; else 0. Its own byte, since programs
  /// from before version 2 have no more than one of settings.
  std::uint8_t terms(std::uint8_t kind) const;
  std::optional<Step> next();

  /// Writes a step.
  static void append_step(ByteWriter& out, std::uint8_t kind, Bytes arguments);

 private:
  std::uint8_t settings_ = 0;
  Bytes rest_;
};

/// A number of any size from few bytes: small ones, powers of two and the numbers beside them, or
/// one of eight bytes.
std::uint64_t read_number(ByteReader& from);

/// Changes `bytes` by the instructions in what is left of `changes`: overwrites, inserts, erases,
/// repeats, and words that mean something somewhere.
void change(ByteVector& bytes, ByteReader& changes);

/// libFuzzer's custom mutator: moves, copies and drops whole steps, changes the arguments of one,
/// or lets libFuzzer change what it likes.
std::size_t mutate_program(std::uint8_t* data, std::size_t size, std::size_t max_size,
                           unsigned seed);
/// Its crossover: steps of one, then of the other.
std::size_t cross_programs(Bytes a, Bytes b, MutableBytes out, unsigned seed);

}  // namespace qdt::fuzz
