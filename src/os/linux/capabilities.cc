#include "os/linux/capabilities.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr unsigned long kLockedSecureBits =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

__user_cap_header_struct this_process() {
  return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

Sets read_sets() {
  Sets sets{};
  auto header = this_process();
  ::syscall(SYS_capget, &header, sets.data());
  return sets;
}

}  // namespace

Capabilities effective_capabilities() {
  const Sets sets = read_sets();
  return (Capabilities{sets[1].effective} << 32) | sets[0].effective;
}

namespace {

// The kernel lets a process with both capabilities become any user that its user namespace has, and
// one that was made without privilege (unshare -Ur) has its maker's alone (user_namespaces(7)).
std::string remedy(std::uint32_t user) {
  constexpr Capabilities kNeeded = Capabilities{1} << CAP_SETUID | Capabilities{1} << CAP_SETGID;
  if ((effective_capabilities() & kNeeded) != kNeeded) {
    return "; give the process CAP_SETUID and CAP_SETGID, or configure user: root";
  }
  return "; this user namespace does not have user and group ID " + std::to_string(user) +
         ": map it (newuidmap, newgidmap), or configure user: root, which here is the user who "
         "made the namespace";
}

}  // namespace

void bound_capabilities(Capabilities kept) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned long number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if ((kept >> number & 1) == 0) ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  }
  ::prctl(PR_SET_SECUREBITS, kLockedSecureBits, 0, 0, 0);
}

// glibc makes these calls in every thread; the system calls themselves concern one.
Result<void> become_user(std::uint32_t user, std::uint32_t group) {
  const std::string doing = "become user ID " + std::to_string(user);
  const gid_t groups[] = {group};
  // For a process that bound_capabilities() could not give this for good.
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setgroups(1, groups) < 0 || ::setresgid(group, group, group) < 0 ||
      ::setresuid(user, user, user) < 0) {
    const int error = errno;
    return fail(doing + ": " + std::generic_category().message(error) + remedy(user));
  }
  ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return {};
}

Result<void> keep_capabilities(Capabilities kept) {
  Sets sets = read_sets();
  for (std::size_t half = 0; half < sets.size(); ++half) {
    const auto wanted = static_cast<std::uint32_t>(kept >> (32 * half));
    sets[half].permitted &= wanted;
    sets[half].effective = sets[half].permitted;
    sets[half].inheritable = 0;
  }
  auto header = this_process();
  if (::syscall(SYS_capset, &header, sets.data()) < 0) return os_error("give capabilities up");
  return {};
}

}  // namespace qdt::os
