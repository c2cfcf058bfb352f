#include "os/steering.h"

namespace qdt::os {

Result<void> steer_packets(std::span<const TunQueue>, std::uint32_t, const TunPrograms*) {
  return fail("choose TUN queues: a device of this system has one");
}

}  // namespace qdt::os
