#pragma once

namespace qdt::os {

/// Where standard error goes: there is one for the process. Any thread.
enum class StandardErrorTarget {
  kOther,
  kEventLog,  ///< takes lines with a level at their start, and adds the time itself
};
void set_standard_error_target(StandardErrorTarget target);

}  // namespace qdt::os
