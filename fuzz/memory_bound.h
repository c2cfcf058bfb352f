#pragma once

#include <cstddef>

#include "invariant.h"

extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace qdt::fuzz {

/// Holds what is allocated from now on against a bound. Without a sanitizer nobody counts it, and
/// everything is within.
class MemoryBound {
 public:
  explicit MemoryBound(std::size_t bytes) : most_(allocated() + bytes) {}
  void check() const { require(allocated() <= most_, "memory is bounded"); }

 private:
  static std::size_t allocated() {
    return __sanitizer_get_current_allocated_bytes != nullptr
               ? __sanitizer_get_current_allocated_bytes()
               : 0;
  }

  std::size_t most_;
};

}  // namespace qdt::fuzz
