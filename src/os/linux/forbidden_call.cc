#include "os/linux/forbidden_call.h"

#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "os/linux/system_calls.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

/// Lines about refused calls in the life of a process; more would fill the log.
constexpr int kMaxReports = 32;

constexpr std::size_t kMaxCalls = 512;

struct KnownCall {
  std::array<char, 28> name{};
  bool is_hostile = false;
};

/// The signal handler needs this made before it runs: it may not allocate.
struct Knowledge {
  std::array<KnownCall, kMaxCalls> calls;
  std::atomic<int> reports_left = kMaxReports;

  Knowledge() {
    for (std::size_t number = 0; number < calls.size(); ++number) {
      char* const name =
          ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
      if (name == nullptr) continue;
      std::strncpy(calls[number].name.data(), name, calls[number].name.size() - 1);
      std::free(name);
    }
    for (const char* name : hostile_calls()) {
      const int number = ::seccomp_syscall_resolve_name(name);
      if (number >= 0 && static_cast<std::size_t>(number) < calls.size()) {
        calls[static_cast<std::size_t>(number)].is_hostile = true;
      }
    }
  }
};

// A signal handler is given no context of ours.
Knowledge& knowledge() {
  static Knowledge known;
  return known;
}

/// A line that is put together without allocating.
class Line {
 public:
  Line& add(std::string_view text) {
    const std::size_t bytes = std::min(text.size(), text_.size() - used_);
    std::copy_n(text.begin(), bytes, text_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += bytes;
    return *this;
  }
  Line& add(unsigned number) {
    std::array<char, 10> digits{};
    std::size_t begin = digits.size();
    do {
      digits[--begin] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    return add(std::string_view(digits.data() + begin, digits.size() - begin));
  }
  // Never waits: a full pipe loses the line.
  void print() const {
    pollfd polled{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&polled, 1, 0) != 1) return;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_.data(), used_);
  }

 private:
  std::array<char, 200> text_{};
  std::size_t used_ = 0;
};

// Whether the kernel's registers could be set: then the call returns `error` to its caller.
bool return_error(void* context, int error) {
#if defined(__x86_64__)
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -error;
  return true;
#elif defined(__aarch64__)
  static_cast<ucontext_t*>(context)->uc_mcontext.regs[0] = static_cast<unsigned long long>(-error);
  return true;
#else
  return context == nullptr && error == 0;
#endif
}

// The flags of a call that opens a file: argument 1 or 2.
unsigned long open_flags([[maybe_unused]] const void* context, [[maybe_unused]] int argument) {
#if defined(__x86_64__)
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  return static_cast<unsigned long>(machine.gregs[argument == 1 ? REG_RSI : REG_RDX]);
#elif defined(__aarch64__)
  return static_cast<const ucontext_t*>(context)->uc_mcontext.regs[argument];
#else
  return O_RDWR;
#endif
}

// A library that looks for a file does no harm; who would write one does.
bool is_for_reading(int number, const void* context) {
  constexpr unsigned long kForWriting = O_ACCMODE | O_CREAT | O_TRUNC;
#ifdef SYS_open
  if (number == SYS_open) return (open_flags(context, 1) & kForWriting) == O_RDONLY;
#endif
  return number == SYS_openat && (open_flags(context, 2) & kForWriting) == O_RDONLY;
}

// While the handler runs SIGSYS is blocked, and the kernel ends a process that is refused a call
// then. No filter lets a process have another handler of SIGSYS.
[[noreturn]] void end_process() {
  std::signal(SIGSYS, SIG_DFL);
  ::_exit(128 + SIGSYS);
}

// Before it makes a process, and in a few other places, the C library blocks all signals: a refusal
// would then end the process without a word. So the filter has every change of what is blocked come
// here, where it is made as asked, but for SIGSYS. The kernel takes the context's mask when the
// handler returns. Whether it was done: else the call fails.
bool change_mask([[maybe_unused]] void* context) {
#if defined(__x86_64__)
  auto* const machine = static_cast<ucontext_t*>(context);
  const auto how = static_cast<int>(machine->uc_mcontext.gregs[REG_RDI]);
  const auto wanted = static_cast<std::uintptr_t>(machine->uc_mcontext.gregs[REG_RSI]);
  const auto before = static_cast<std::uintptr_t>(machine->uc_mcontext.gregs[REG_RDX]);
#elif defined(__aarch64__)
  auto* const machine = static_cast<ucontext_t*>(context);
  const auto how = static_cast<int>(machine->uc_mcontext.regs[0]);
  const auto wanted = static_cast<std::uintptr_t>(machine->uc_mcontext.regs[1]);
  const auto before = static_cast<std::uintptr_t>(machine->uc_mcontext.regs[2]);
#else
  return false;
#endif
#if defined(__x86_64__) || defined(__aarch64__)
  using Mask = std::uint64_t;  // as the kernel has it
  constexpr Mask kOurs = Mask{1} << (SIGSYS - 1);
  Mask mask = 0;
  std::memcpy(&mask, &machine->uc_sigmask, sizeof mask);
  const Mask old_mask = mask;
  if (wanted != 0) {
    Mask given = 0;
    std::memcpy(&given, reinterpret_cast<const void*>(wanted), sizeof given);
    if (how == SIG_BLOCK) mask |= given;
    if (how == SIG_UNBLOCK) mask &= ~given;
    if (how == SIG_SETMASK) mask = given;
    mask &= ~kOurs;
  }
  if (before != 0) std::memcpy(reinterpret_cast<void*>(before), &old_mask, sizeof old_mask);
  std::memcpy(&machine->uc_sigmask, &mask, sizeof mask);
  return return_error(context, 0);
#endif
}

void on_forbidden_call(int /*signal*/, siginfo_t* info, void* context) {
  const int error = errno;
  Knowledge& known = knowledge();
  const int number = info->si_syscall;
  if (number == SYS_rt_sigprocmask && change_mask(context)) {
    errno = error;
    return;
  }
  const bool is_known = number >= 0 && static_cast<std::size_t>(number) < known.calls.size();
  const KnownCall nothing;
  const KnownCall& call = is_known ? known.calls[static_cast<std::size_t>(number)] : nothing;
  const bool ends =
      (call.is_hostile && !is_for_reading(number, context)) || !return_error(context, EPERM);
  if (ends || known.reports_left.fetch_sub(1) > 0) {
    std::array<char, 17> thread{};
    ::prctl(PR_GET_NAME, thread.data(), 0, 0, 0);
    Line line;
    line.add("refused: ").add(call.name[0] != '\0' ? call.name.data() : "a system call").add(" (");
    line.add(static_cast<unsigned>(number)).add(") in the thread ").add(thread.data());
    line.add(ends ? "; the process ends, since no part of it has a reason for that\n"
                  : "; the call fails, and the process goes on\n");
    line.print();
  }
  if (ends) end_process();
  errno = error;
}

}  // namespace

Result<void> report_forbidden_calls() {
  static_cast<void>(knowledge());
  struct sigaction action{};
  action.sa_sigaction = on_forbidden_call;
  action.sa_flags = SA_SIGINFO;
  if (::sigaction(SIGSYS, &action, nullptr) < 0) return os_error("handle SIGSYS");
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGSYS);
  if (const int error = ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr); error != 0) {
    return os_error("take SIGSYS", error);
  }
  return {};
}

}  // namespace qdt::os
