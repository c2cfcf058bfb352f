#include "os/host_control.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "os/linux/child_process.h"
#include "os/linux/host_link.h"
#include "os/linux/host_process.h"
#include "os/linux/host_process_limits.h"
#include "os/linux/host_process_name.h"
#include "os/linux/remote_host_control.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_programs.h"
#include "os/local_host_control.h"

namespace qdt::os {
namespace {

[[noreturn]] void be_host_process(HostLink link, HostPlan plan,
                                  std::shared_ptr<TunPrograms> programs,
                                  const std::function<std::unique_ptr<Logger>()>& make_logger) {
  block_signals();
  link = keep_only(std::move(link), programs.get());
  plan.tun.programs = std::move(programs);
  show_title(plan.program + ": host", kHostProcessName);
  {
    const auto logger = make_logger();
    limit_host_process(plan, *logger);
    LocalHostControl control(plan, *logger);
    serve_host(link, control, plan, *logger);
  }
  ::_exit(0);  // what the main process's objects would undo is theirs
}

}  // namespace

Result<std::unique_ptr<HostControl>> start_host_control(
    HostPlan plan, const std::function<std::unique_ptr<Logger>()>& make_logger) {
  // Before anything is opened where they should be; this process keeps none.
  auto programs = TunPrograms::take_inherited();
  auto links = HostLink::make_pair();
  if (!links) return fail(links);
  auto& [ours, theirs] = *links;
  const pid_t process = ::fork();
  if (process < 0) return os_error("start the process that changes this host's network");
  if (process == 0) {
    ours.close();
    be_host_process(std::move(theirs), std::move(plan), std::move(programs), make_logger);
  }
  theirs.close();
  return std::make_unique<RemoteHostControl>(std::move(ours), process, plan.lease_path);
}

}  // namespace qdt::os
