#include "os/standard_error.h"

#include <atomic>

#include "os/windows/standard_error_target.h"

namespace qdt::os {
namespace {

std::atomic<StandardErrorTarget> the_target = StandardErrorTarget::kOther;

}  // namespace

void set_standard_error_target(StandardErrorTarget target) {
  the_target = target;
}

// The event log takes lines as the journal does.
bool is_standard_error_the_journal() {
  return the_target == StandardErrorTarget::kEventLog;
}

}  // namespace qdt::os
