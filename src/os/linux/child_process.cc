#include "os/linux/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "os/file.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

// Signals that tell of a fault of the program's own end it where it stands.
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

}  // namespace

void block_signals() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : kFaults) sigdelset(&signals, fault);
  ::pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

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
void show_title(const std::string& title, const char* thread_name) {
  ::prctl(PR_SET_NAME, thread_name, 0UL, 0UL, 0UL);
  const auto words = read_file("/proc/self/cmdline");
  if (!words || words->empty()) return;
  char* const memory = program_invocation_name;
  const bool is_first_word = std::strcmp(memory, words->c_str()) == 0;
  if (!is_first_word) return;
  std::memset(memory, 0, words->size());
  title.copy(memory, words->size() - 1);
}

}  // namespace qdt::os
