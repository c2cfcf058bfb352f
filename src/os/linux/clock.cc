#include "os/clock.h"

#include <ctime>

namespace qdt::os {

Timestamp now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace qdt::os
