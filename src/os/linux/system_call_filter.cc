#include "os/linux/system_call_filter.h"

#include <seccomp.h>

#include <algorithm>
#include <memory>
#include <string>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

using Filter = std::unique_ptr<void, decltype(&::seccomp_release)>;

// Linear search through a filter costs more than most calls do.
constexpr std::uint32_t kBinaryTree = 2;

int add(const Filter& filter, const AllowedCall& call) {
  const int number = ::seccomp_syscall_resolve_name(call.name);
  if (number < 0) return 0;  // not of this architecture
  std::vector<scmp_arg_cmp> comparisons;
  for (const ArgumentRule& rule : call.rules) {
    comparisons.push_back({rule.argument, SCMP_CMP_MASKED_EQ, rule.mask, rule.value});
  }
  const std::uint32_t action =
      call.error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(static_cast<std::uint32_t>(call.error));
  return ::seccomp_rule_add_array(filter.get(), action, number,
                                  static_cast<unsigned>(comparisons.size()), comparisons.data());
}

int add_absent(const Filter& filter, const char* name) {
  const int number = ::seccomp_syscall_resolve_name(name);
  return number < 0
             ? 0
             : ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(ENOSYS), number, 0, nullptr);
}

}  // namespace

Result<void> filter_system_calls(std::span<const AllowedCall> calls, FilterScope scope) {
  const auto refused = [](const std::string& what, int error) {
    return fail("filter system calls: " + what + ": " + std::generic_category().message(-error));
  };
  const Filter filter(::seccomp_init(SCMP_ACT_TRAP), ::seccomp_release);
  if (!filter) return refused("begin", -ENOMEM);
  // no_new_privs is set. Processors' guards against reading other programs' memory stay as they are
  // for every process: no code of others runs here, and before Linux 5.16 they would cost speed.
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (scope == FilterScope::kProcess) ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);

  for (const AllowedCall& call : calls) {
    if (const int error = add(filter, call); error < 0) return refused(call.name, error);
  }
  for (const char* name : absent_calls()) {
    if (const int error = add_absent(filter, name); error < 0) return refused(name, error);
  }
  if (const int error = ::seccomp_load(filter.get()); error < 0) return refused("load", error);
  return {};
}

Result<void> refuse_system_calls(std::span<const char* const> calls) {
  const Filter filter(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
  if (!filter) return fail("filter system calls: out of memory");
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);  // no_new_privs is set
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  const auto refuse = [&](const char* name) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // not of this architecture
    ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0, nullptr);
  };
  std::ranges::for_each(calls_on_others(), refuse);
  std::ranges::for_each(calls, refuse);
  if (const int error = ::seccomp_load(filter.get()); error < 0) {
    return os_error("filter system calls", -error);
  }
  return {};
}

}  // namespace qdt::os
