#include "os/linux/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

// As in <linux/landlock.h>, which may be older than the kernel (Linux 6.2, 6.7, 6.10, 6.12).
constexpr std::uint64_t kTruncate = 1ULL << 14;
constexpr std::uint64_t kUseDevice = 1ULL << 15;
constexpr std::uint64_t kBindTcp = 1ULL << 0;
constexpr std::uint64_t kAbstractSocket = 1ULL << 0;
constexpr std::uint64_t kSignal = 1ULL << 1;

struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

// All that the kernel can refuse: every version knows what the ones before it do.
Ruleset everything(int version) {
  constexpr std::uint64_t kFirst = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  Ruleset all{.files = kFirst};
  if (version >= 2) all.files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) all.files |= kTruncate;
  if (version >= 4) all.network = kBindTcp;
  if (version >= 5) all.files |= kUseDevice;
  if (version >= 6) all.scoped = kSignal | kAbstractSocket;
  return all;
}

std::size_t size_of_ruleset(int version) {
  if (version >= 6) return sizeof(Ruleset);
  return version >= 4 ? offsetof(Ruleset, scoped) : offsetof(Ruleset, network);
}

Result<void> allow_path(const UniqueFd& ruleset, const std::string& path, std::uint64_t access) {
  const UniqueFd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status{};
  if (!file.is_open() || ::fstat(file.get(), &status) < 0) return {};
  if (!S_ISDIR(status.st_mode)) access &= kOfFiles;
  const landlock_path_beneath_attr rule{.allowed_access = access, .parent_fd = file.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
    return os_error("allow " + path + " (Landlock)");
  }
  return {};
}

// 0: none.
int landlock_version() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return static_cast<int>(std::max(version, 0L));
}

// Refuses `rules` from now on, but for `access` to `paths`.
Result<void> enter(const Ruleset& rules, std::size_t bytes, const std::vector<std::string>& paths,
                   std::uint64_t access) {
  const UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, bytes, 0)));
  if (!ruleset.is_open()) return os_error("make a set of rules (Landlock)");
  for (const std::string& path : paths) {
    if (auto ok = allow_path(ruleset, path, access); !ok) return ok;
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) < 0) {
    return os_error("enter a set of rules (Landlock)");
  }
  return {};
}

constexpr const char* kNoLandlock =
    "this kernel has no Landlock (Linux 5.13 has, where it is switched on)";

}  // namespace

Result<std::string> restrict_files(const std::vector<std::string>& readable,
                                   AbstractSockets abstract) {
  const int version = landlock_version();
  if (version < 1) {
    return std::string(kNoLandlock) + ": files are kept from the process by their owners alone";
  }
  Ruleset rules = everything(version);
  if (abstract == AbstractSockets::kAllowed) rules.scoped &= ~kAbstractSocket;
  const auto entered = enter(rules, size_of_ruleset(version), readable, kRead);
  if (!entered) return fail(entered);
  if (version < 3)
    return "this kernel's Landlock does not keep files from being cut (Linux 6.2 does)";
  return "";
}

Result<std::string> restrict_writing(const std::vector<std::string>& places) {
  const int version = landlock_version();
  if (version < 1) return kNoLandlock;
  constexpr std::uint64_t kMake = LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_SOCK;
  const std::uint64_t later = everything(version).files & (kTruncate | LANDLOCK_ACCESS_FS_REFER);
  const Ruleset wanted{.files = kWrite | kMake | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                later};
  const auto entered = enter(wanted, size_of_ruleset(1), places, kWrite | kMake | later);
  if (!entered) return fail(entered);
  return "";
}

}  // namespace qdt::os
