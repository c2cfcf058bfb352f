#include "os/processors.h"

#include <sched.h>

#include <algorithm>
#include <string>
#include <thread>

#include "os/file.h"
#include "os/linux/processor_quota.h"

namespace qdt::os {
namespace {

constexpr const char* kGroups = "/sys/fs/cgroup";

std::size_t allowed_processors() {
  cpu_set_t set;
  // A machine with more processors than the set has bits: all of them.
  if (::sched_getaffinity(0, sizeof set, &set) < 0) return std::thread::hardware_concurrency();
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

}  // namespace

std::size_t usable_processors() {
  std::size_t processors = allowed_processors();
  const auto groups = read_file("/proc/self/cgroup", kMaxTextFileBytes);
  for (std::string path = groups ? group_of(*groups) : "";; path.resize(path.rfind('/'))) {
    const auto quota = read_file(kGroups + path + "/cpu.max", kMaxTextFileBytes);
    if (quota) processors = std::min(processors, processors_of_quota(*quota));
    if (path.empty()) break;
  }
  return std::max<std::size_t>(processors, 1);
}

}  // namespace qdt::os
