#include "os/host_control.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "os/file.h"
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

// Signals that tell of a fault of the program's own end it where it stands.
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

// Ctrl-C and a service manager's SIGTERM reach both processes. This one ends by the other's end
// alone, after the host was put back. Programs that it starts block none (SpawnSettings).
void block_signals() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : kFaults) sigdelset(&signals, fault);
  ::pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

// Only standard input, output and error, the link, which becomes the first behind them, and the
// programs: what else the main process has open is not ours to keep open, the log's own copy of a
// terminal included.
HostLink keep_only(HostLink link, TunPrograms* programs) {
  constexpr int kFirst = STDERR_FILENO + 1;
  const int fd = link.release();
  if (fd != kFirst) ::dup3(fd, kFirst, O_CLOEXEC);
  int next = kFirst + 1;
  if (programs != nullptr) {
    for (UniqueFd* const program : programs->descriptors()) {
      ::dup3(program->get(), next, O_CLOEXEC);  // from far behind (tun_programs.cc)
      program->reset(next++);
    }
  }
  ::close_range(static_cast<unsigned>(next), ~0U, 0);
  return HostLink(UniqueFd(kFirst));
}

// The words of a process's command line are memory of its own, from the first argument on
// (proc(5), cmdline).
void show_title(const std::string& title) {
  ::prctl(PR_SET_NAME, kHostProcessName, 0UL, 0UL, 0UL);
  const auto words = read_file("/proc/self/cmdline");
  if (!words || words->empty()) return;
  char* const memory = program_invocation_name;
  const bool is_first_word = std::strcmp(memory, words->c_str()) == 0;
  if (!is_first_word) return;
  std::memset(memory, 0, words->size());
  title.copy(memory, words->size() - 1);
}

[[noreturn]] void be_host_process(HostLink link, HostPlan plan,
                                  std::shared_ptr<TunPrograms> programs,
                                  const std::function<std::unique_ptr<Logger>()>& make_logger) {
  block_signals();
  link = keep_only(std::move(link), programs.get());
  plan.tun.programs = std::move(programs);
  show_title(plan.program + ": host");
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
