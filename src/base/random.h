#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace qdt {

/// Where the core gets its randomness: the kernel in a program, a printed seed in the simulator.
/// Drawn from at handshakes and for connection IDs, not per packet.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;

  template <std::size_t N>
  std::array<std::uint8_t, N> bytes() {
    std::array<std::uint8_t, N> out;
    fill(out);
    return out;
  }

  std::uint64_t number() { return load_be<std::uint64_t>(bytes<8>().data()); }
};

}  // namespace qdt
