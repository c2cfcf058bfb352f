#include "os/process.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <utility>

#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"

namespace qdt::os {

std::vector<std::string> program_arguments(int argc, char** argv) {
  return {argv + 1, argv + argc};
}

Result<StopSignal> StopSignal::open() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return os_error("block signals", error);
  }
  const int fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return os_error("receive signals");
  return StopSignal(fd);
}

StopSignal::StopSignal(StopSignal&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

StopSignal& StopSignal::operator=(StopSignal&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

StopSignal::~StopSignal() {
  if (handle_ >= 0) ::close(static_cast<int>(handle_));
}

std::optional<std::string> StopSignal::take() {
  signalfd_siginfo info{};
  if (::read(static_cast<int>(handle_), &info, sizeof info) != sizeof info) return std::nullopt;
  return info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
}

PollHandle StopSignal::poll_handle() const {
  return PollHandle{handle_};
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
  return addresses;
}

}  // namespace qdt::os
