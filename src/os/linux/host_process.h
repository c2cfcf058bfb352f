#pragma once

#include "base/logger.h"
#include "os/host_control.h"
#include "os/linux/host_link.h"

namespace qdt::os {

/// How the main process came to its end, as its host process sees it.
enum class MainEnd {
  kOrderly,  ///< it let go of everything first
  kCrashed,  ///< killed, most likely
  kRefused,  ///< it sent what no main process of ours sends
};

/// The host process's work, from the first request to the end of the main process: does what the
/// requests ask for, by `control`, within what `plan` and check_request() allow, and at last puts
/// the host back, whatever the end was like.
MainEnd serve_host(HostLink& link, HostControl& control, const HostPlan& plan, Logger& logger);

}  // namespace qdt::os
