#include "os/host_control.h"

#include "os/local_host_control.h"

namespace qdt::os {

Result<std::unique_ptr<HostControl>> start_host_control(
    HostPlan plan, const std::function<std::unique_ptr<Logger>()>& make_logger) {
  return std::make_unique<LocalHostControl>(std::move(plan), make_logger());
}

}  // namespace qdt::os
