#include "os/system_random.h"

#include <sys/random.h>

#include <cstdlib>

namespace qdt::os {

void SystemRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t bytes = ::getrandom(out.data(), out.size(), 0);
    if (bytes < 0)
      std::abort();  // cannot happen since Linux 3.17; without randomness nothing is safe
    out = out.subspan(static_cast<std::size_t>(bytes));
  }
}

}  // namespace qdt::os
