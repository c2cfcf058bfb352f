#pragma once

#include "base/random.h"

namespace qdt::os {

/// The kernel's random numbers (getrandom(2)). Any thread.
class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override;
};

}  // namespace qdt::os
