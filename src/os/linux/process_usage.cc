#include "os/process_usage.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

std::string read_proc(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Clock ticks from boot to the start of this process: field 22 of proc(5)'s stat. The second
// field is the program's name in parentheses and may hold spaces and parentheses itself.
double start_ticks() {
  const std::string stat = read_proc("/proc/self/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  return ticks;
}

std::uint64_t count_open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  const auto count = std::distance(begin(files), end(files));
  return static_cast<std::uint64_t>(count) - 1;  // the listing itself holds one
}

}  // namespace

Result<ProcessUsage> process_usage() {
  std::istringstream statm(read_proc("/proc/self/statm"));
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!(statm >> virtual_pages >> resident_pages)) return fail("read /proc/self/statm");

  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return os_error("getrlimit(RLIMIT_NOFILE)");

  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const double since_boot = start_ticks() / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return ProcessUsage{
      .start_time_seconds = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) + since_boot,
      .cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID),
      .resident_bytes = resident_pages * page_bytes,
      .virtual_bytes = virtual_pages * page_bytes,
      .open_files = count_open_files(),
      .max_open_files = files.rlim_cur};
}

std::string command_line() {
  return read_proc("/proc/self/cmdline");
}

std::string program_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace qdt::os
