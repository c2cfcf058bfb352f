#include "os/process.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one. Inherited by children, as these three are.
    ::open("/dev/null", O_RDWR);  // NOLINT(android-cloexec-open)
  }
}

bool is_standard_output_a_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

std::vector<std::string> program_arguments(int argc, char** argv) {
  return {argv + 1, argv + argc};
}

namespace {

// Signals that end the process in order. SIGPWR is how some container managers ask for that;
// SIGXCPU comes once the time of setrlimit(2) is used up, some time before the kill.
constexpr std::array kStopSignals = {SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGXCPU};

// Signals that would end or stop the process too, and are of no use here. SIGPIPE and SIGXFSZ: the
// write that they are about returns an error. SIGTTOU, SIGTTIN: a terminal that another program
// has. SIGPROF is the profiler's, which takes it while it runs. Those that tell of a fault of the
// program's own (SIGSEGV, SIGABRT and the like) are left as they are.
constexpr std::array kIgnoredSignals = {SIGPIPE, SIGXFSZ, SIGUSR1,   SIGUSR2, SIGALRM, SIGVTALRM,
                                        SIGPROF, SIGIO,   SIGSTKFLT, SIGTTOU, SIGTTIN};

bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::string name_of_signal(std::uint32_t number) {
  const char* const name = ::sigabbrev_np(static_cast<int>(number));
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

}  // namespace

Result<StopSignal> StopSignal::open(Hangup hangup) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kStopSignals) sigaddset(&signals, signal);
  // nohup(1): the process is to outlive its terminal. A blocked signal would come all the same.
  if (hangup == Hangup::kReread || !is_ignored(SIGHUP)) sigaddset(&signals, SIGHUP);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return os_error("block signals", error);
  }
  for (const int signal : kIgnoredSignals) std::signal(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) std::signal(signal, SIG_IGN);
  UniqueFd all(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  // A second descriptor, to be polled alone: what is read from the first is gone from both.
  if (hangup == Hangup::kReread) sigdelset(&signals, SIGHUP);
  UniqueFd ends(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!all.is_open() || !ends.is_open()) return os_error("receive signals");
  return StopSignal(all.release(), ends.release(), hangup);
}

StopSignal::StopSignal(StopSignal&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)),
      end_handle_(std::exchange(other.end_handle_, -1)),
      hangup_(other.hangup_) {}

StopSignal& StopSignal::operator=(StopSignal&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(end_handle_, other.end_handle_);
  std::swap(hangup_, other.hangup_);
  return *this;
}

StopSignal::~StopSignal() {
  for (const std::intptr_t handle : {handle_, end_handle_}) {
    if (handle >= 0) ::close(static_cast<int>(handle));
  }
}

std::optional<ProcessRequest> StopSignal::take() {
  using Kind = ProcessRequest::Kind;
  signalfd_siginfo info{};
  if (::read(static_cast<int>(handle_), &info, sizeof info) != sizeof info) return std::nullopt;
  const bool rereads = info.ssi_signo == SIGHUP && hangup_ == Hangup::kReread;
  return ProcessRequest{rereads ? Kind::kReread : Kind::kStop, name_of_signal(info.ssi_signo)};
}

PollHandle StopSignal::poll_handle() const {
  return PollHandle{handle_};
}

PollHandle StopSignal::end_handle() const {
  return PollHandle{end_handle_};
}

void notify_ready(std::string_view status) {
  ::sd_notifyf(0, "READY=1\nSTATUS=%.*s", static_cast<int>(status.size()), status.data());
}

void notify_stopping() {
  ::sd_notify(0, "STOPPING=1");
}

void notify_status(std::string_view status) {
  ::sd_notifyf(0, "STATUS=%.*s", static_cast<int>(status.size()), status.data());
}

void name_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

void sharpen_timers() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

std::string platform() {
  return "linux";
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) < 0) return "";
  return name.data();
}

bool has_interface(const std::string& name) {
  return ::if_nametoindex(name.c_str()) != 0;
}

namespace {

// The address that packets to the world have; nothing is sent.
std::optional<IpAddress> address_towards(const char* destination) {
  const IpAddress world = *IpAddress::parse(destination);
  const int family = world.is_v6() ? AF_INET6 : AF_INET;
  const UniqueFd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const KernelAddress to = to_kernel({.address = world, .port = 9}, family);
  if (::connect(socket.get(), to.get(), to.length) < 0) return std::nullopt;
  KernelAddress own;
  own.length = sizeof own.storage;
  if (::getsockname(socket.get(), own.get(), &own.length) < 0) return std::nullopt;
  return from_kernel(own.get()).address;
}

}  // namespace

std::vector<IpAddress> host_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) < 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, ::freeifaddrs);

  std::vector<IpAddress> addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const IpAddress address = from_kernel(entry->ifa_addr).address;
    const bool is_link_local =
        address.is_v6() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
    if (address.is_loopback() || is_link_local) continue;
    addresses.push_back(address);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  for (const char* world : {"2600::1", "5.5.5.5"}) {
    const auto own = address_towards(world);
    const auto found = own ? std::ranges::find(addresses, *own) : addresses.end();
    std::rotate(addresses.begin(), found, found == addresses.end() ? found : found + 1);
  }
  return addresses;
}

}  // namespace qdt::os
