#include "os/tun_programs.h"

namespace qdt::os {

bool has_tun_programs() {
  return false;
}

Result<void> hand_over_tun_programs() {
  return fail("hand over programs of the TUN device: Windows has none");
}

}  // namespace qdt::os
