#include "os/linux/host_process_limits.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "os/kept_file.h"
#include "os/linux/capabilities.h"
#include "os/linux/landlock.h"
#include "os/linux/resolvconf_program.h"
#include "os/linux/system_call_filter.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

constexpr const char* kResolvConfPath = "/etc/resolv.conf";

// BPF: programs for the TUN device. The others: files of name servers may be anybody's, and their
// owners are to stay; what resolvconf(8) starts is ended when it takes too long.
constexpr Capabilities kKept = Capabilities{1} << CAP_NET_ADMIN | Capabilities{1} << CAP_BPF |
                               Capabilities{1} << CAP_CHOWN | Capabilities{1} << CAP_DAC_OVERRIDE |
                               Capabilities{1} << CAP_DAC_READ_SEARCH |
                               Capabilities{1} << CAP_FOWNER | Capabilities{1} << CAP_KILL;

// Linux before 5.8 has no CAP_BPF, and asks for this one.
Capabilities kept_capabilities() {
  const bool knows_bpf = ::prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) >= 0;
  return knows_bpf ? kKept : kKept | Capabilities{1} << CAP_SYS_ADMIN;
}

// Changes of a host need none of these either. In the main process they fail, and do not end it.
constexpr std::array kRefused = {"kcmp",        "fsconfig",       "fspick",  "io_uring_setup",
                                 "quotactl_fd", "lookup_dcookie", "vhangup", "name_to_handle_at"};

// Where its links lead; also a file's that is not there, named from the current folder.
std::filesystem::path whole_path(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
}

// A file's folder, since somebody may remove the file; in the root of the file system, where a
// folder's rule would allow everything, the file alone.
std::string place_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto file = whole_path(path);
  auto folder = file.parent_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder, error)) {
    folder = folder.parent_path();
  }
  return folder == folder.root_path() ? file.string() : folder.string();
}

// A file in the root has no folder to be made in later, and is there from now on.
void make_lease_file_in_root(const HostPlan& plan) {
  const std::filesystem::path file = whole_path(plan.lease_path);
  std::error_code error;
  if (file.parent_path() != file.root_path() || std::filesystem::exists(file, error)) return;
  auto made = KeptFile::open(file.string());
  if (!made) return;  // open_lease_file() tells why
  [[maybe_unused]] const auto written = made->replace(plan.no_leases);  // as LeaseFile tells
}

#ifdef QDT_SANITIZED
// Reports of sanitizers go where they are told to.
constexpr bool kMayRestrictFiles = false;
#else
constexpr bool kMayRestrictFiles = true;
#endif

}  // namespace

std::vector<std::string> places_written(const HostPlan& plan) {
  std::vector<std::string> places = {"/etc", "/run", "/proc/sys/net", "/dev"};
  if (plan.role == HostPlan::Role::kClient) places.push_back(place_of(kResolvConfPath));
  if (!plan.lease_path.empty()) places.push_back(place_of(plan.lease_path));
  std::erase_if(places, [](const std::string& place) { return place.empty() || place == "/"; });
  return places;
}

void limit_host_process(const HostPlan& plan, Logger& logger) {
  if (!plan.up.empty() || !plan.down.empty()) {
    return logger.info(
        "the programs of up and down run with all the rights that this one was started with");
  }
  const auto look = [&](const Result<void>& ok) {
    if (!ok) logger.debug("done without: " + ok.error().message);
  };
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) look(os_error("set no_new_privs"));
  if (kMayRestrictFiles && !is_resolvconf_installed()) {
    if (!plan.lease_path.empty()) make_lease_file_in_root(plan);
    const auto limits = restrict_writing(places_written(plan));
    if (!limits) look(fail(limits));
    if (limits && !limits->empty()) logger.debug(*limits);
  }
  // A user's resolvconf(8) has what this process was given, and by inheritance alone.
  if (::geteuid() == 0 || !is_resolvconf_installed()) {
    const Capabilities kept = kept_capabilities();
    bound_capabilities(kept);
    look(keep_capabilities(kept));
  }
  look(refuse_system_calls(kRefused));
}

}  // namespace qdt::os
