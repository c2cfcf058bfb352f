#include "os/sandbox.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "os/linux/capabilities.h"
#include "os/linux/forbidden_call.h"
#include "os/linux/landlock.h"
#include "os/linux/system_call_filter.h"
#include "os/linux/system_calls.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

#ifdef QDT_SANITIZED
// Sanitizers look at their own process as a debugger does, and write their reports where they are
// told to: that build has the capabilities of the sandbox, and nothing else of it.
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr Capabilities kNetworkAdministration = Capabilities{1} << CAP_NET_ADMIN;

// Libraries that are loaded late and what they look up, the time zone, this process's own facts.
constexpr const char* kAlwaysReadable[] = {
    "/proc",       "/sys/devices/system/cpu", "/usr/lib",       "/usr/lib64",       "/lib",
    "/lib64",      "/usr/share/zoneinfo",     "/etc/localtime", "/etc/ld.so.cache", "/dev/null",
    "/dev/urandom"};

// The socket of a service manager to which os/process.h talks; empty: there is none.
std::string_view notify_socket() {
  // Nobody changes it.
  const char* const path = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  return path != nullptr ? path : "";
}

UnixSockets unix_sockets(const ProcessUser& user) {
  if (!user.is_root()) return UnixSockets::kAny;
  return notify_socket().empty() ? UnixSockets::kNone : UnixSockets::kDatagrams;
}

Result<void> change_user(const ProcessUser& user) {
  if (::geteuid() != 0 || user.is_root()) return {};
  auto changed = become_user(user.id, user.group);
  hide_memory();  // another user's: the kernel has decided anew
  return changed;
}

// In this order: paths are found with root's rights, and to filter calls is the last of them.
Result<void> enter(const SandboxOptions& options, Logger& logger) {
  std::vector<std::string> readable = options.readable;
  readable.insert(readable.end(), std::begin(kAlwaysReadable), std::end(kAlwaysReadable));
  const auto limits =
      restrict_files(readable, notify_socket().starts_with('@') ? AbstractSockets::kAllowed
                                                                : AbstractSockets::kRefused);
  if (!limits) return fail(limits);
  if (!limits->empty()) logger.warning(*limits);
  bound_capabilities(kNetworkAdministration);
  if (auto ok = change_user(options.user); !ok) return ok;
  if (auto ok = keep_capabilities(kNetworkAdministration); !ok) return ok;
  if (auto ok = report_forbidden_calls(); !ok) return ok;
  const auto calls = process_calls(
      {.has_profiler = options.has_profiler, .unix_sockets = unix_sockets(options.user)});
  const auto filtered = filter_system_calls(calls, FilterScope::kProcess);
  if (!filtered) logger.warning(filtered.error().message + "; the process goes on without that");
  return {};
}

}  // namespace

void hide_memory() {
  if (kIsSanitized) return;
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void settle_memory() {
  std::thread([] {
    constexpr std::size_t kPieceBytes = 100 << 10;  // too small to be mapped by itself
    constexpr std::size_t kPieces = 100;
    std::vector<std::unique_ptr<std::uint8_t[]>> pieces(kPieces);
    for (auto& piece : pieces) piece = std::make_unique<std::uint8_t[]>(kPieceBytes);
  }).join();
}

Result<void> enter_sandbox(const SandboxOptions& options, Logger& logger) {
  if (!options.user.note.empty() && options.user.is_root()) logger.warning(options.user.note);
  if (!options.user.note.empty() && !options.user.is_root()) logger.info(options.user.note);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return os_error("set no_new_privs");
  if (kIsSanitized) return keep_capabilities(kNetworkAdministration);
  return enter(options, logger);
}

void confine_packet_thread() {
  if (kIsSanitized) return;
  // If the kernel filters no calls, enter_sandbox() has said so.
  static_cast<void>(filter_system_calls(packet_calls(), FilterScope::kThread));
}

}  // namespace qdt::os
