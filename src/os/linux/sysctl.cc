#include "os/linux/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "os/file.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

std::string path_of(const std::string& name) {
  return "/proc/sys/" + name;
}

std::unexpected<Error> cannot_write(const std::string& name, std::string_view value) {
  const int error = errno;
  std::string setting = name + "=" + std::string(value);
  std::ranges::replace(setting, '/', '.');  // as sysctl(8) and container engines write it
  const std::string doing = "set sysctl " + setting;
  if (error == EROFS) {
    return fail(doing + ": /proc/sys is read-only here; start the container with --sysctl " +
                setting + ", or if it has the host's network, set it there: sysctl -w " + setting);
  }
  if (error == EACCES) return fail(doing + ": " + std::string(kNeedsNetAdmin));
  return os_error(doing, error);
}

}  // namespace

Result<std::string> read_sysctl(const std::string& name) {
  auto value = read_file(path_of(name));
  if (value && value->ends_with('\n')) value->pop_back();
  return value;
}

Result<void> write_sysctl(const std::string& name, std::string_view value) {
  const UniqueFd file(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) return cannot_write(name, value);
  if (::write(file.get(), value.data(), value.size()) < 0) return cannot_write(name, value);
  return {};
}

bool has_sysctl(const std::string& name) {
  return file_exists(path_of(name));
}

std::vector<std::string> configured_interfaces(const std::string& family) {
  std::vector<std::string> interfaces;
  std::error_code error;
  const std::string folder = "/proc/sys/net/" + family + "/conf";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    interfaces.push_back(entry.path().filename().string());
  }
  return interfaces;
}

// A line is destination, prefix length (both in hex) and more, the device last; a refusal is
// "lo"'s.
bool has_ipv6_default_route() {
  const auto routes = read_file("/proc/net/ipv6_route");
  if (!routes) return false;
  const std::string destination = std::string(32, '0') + " 00 ";
  std::istringstream lines(*routes);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(destination) && !line.ends_with(" lo")) return true;
  }
  return false;
}

}  // namespace qdt::os
