#include "os/linux/processor_quota.h"

#include <charconv>
#include <cstdint>
#include <limits>

namespace qdt::os {
namespace {

constexpr std::string_view kVersion2 = "0::";

}  // namespace

std::string group_of(std::string_view proc_cgroup) {
  while (!proc_cgroup.empty()) {
    const std::string_view line = proc_cgroup.substr(0, proc_cgroup.find('\n'));
    if (line.starts_with(kVersion2)) {
      const std::string_view path = line.substr(kVersion2.size());
      return path.starts_with('/') && path != "/" ? std::string(path) : std::string();
    }
    proc_cgroup.remove_prefix(line.size());
    if (!proc_cgroup.empty()) proc_cgroup.remove_prefix(1);
  }
  return {};
}

std::size_t processors_of_quota(std::string_view cpu_max) {
  constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();
  const char* const end = cpu_max.data() + cpu_max.size();
  std::uint64_t quota = 0;
  const auto first = std::from_chars(cpu_max.data(), end, quota);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return kNoBound;
  std::uint64_t period = 0;
  const auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc() || period == 0) return kNoBound;
  return quota / period + (quota % period != 0 ? 1 : 0);
}

}  // namespace qdt::os
