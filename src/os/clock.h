#pragma once

#include "base/time.h"

namespace qdt::os {

/// Time since boot, time asleep included (CLOCK_BOOTTIME): a connection that died during a
/// suspend is found dead at the first look, not 30 s later.
Timestamp now();

}  // namespace qdt::os
