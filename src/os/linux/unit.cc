#include "os/unit.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "os/file.h"

namespace qdt::os {
namespace {

// `qdt-client@anna.service` is of `qdt-client@.service`.
std::string template_of(const std::string& name) {
  const std::size_t at = name.find('@');
  return at == std::string::npos ? name : name.substr(0, at + 1) + ".service";
}

Result<void> systemctl(std::vector<std::string> words) {
  if (!file_exists("/run/systemd/system")) return fail("systemd does not run this host");
  std::string line = "systemctl";
  std::vector<char*> arguments = {line.data()};
  std::string all = line;
  for (std::string& word : words) {
    all += " " + word;
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int error =
          ::posix_spawnp(&child, line.c_str(), nullptr, nullptr, arguments.data(), environ)) {
    return fail(all + ": " + std::generic_category().message(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(all + ": it failed");
}

}  // namespace

bool has_unit(const std::string& name) {
  if (!file_exists("/run/systemd/system")) return false;
  constexpr std::array kFolders = {"/etc/systemd/system/", "/lib/systemd/system/",
                                   "/usr/lib/systemd/system/", "/usr/local/lib/systemd/system/"};
  const std::string file = template_of(name);
  return std::ranges::any_of(kFolders,
                             [&](const char* folder) { return file_exists(folder + file); });
}

Result<void> start_unit(const std::string& name) {
  return systemctl({"enable", "--now", name});
}

Result<void> stop_unit(const std::string& name) {
  return systemctl({"disable", "--now", name});
}

}  // namespace qdt::os
