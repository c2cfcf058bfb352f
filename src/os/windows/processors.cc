#include "os/processors.h"

#include <algorithm>
#include <thread>

namespace qdt::os {

std::size_t usable_processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace qdt::os
