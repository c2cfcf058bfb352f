#include "os/linux/resolvconf_program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "os/file.h"
#include "os/linux/spawn_settings.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

// The content of a memory file, on one line.
std::string content_of(const UniqueFd& file) {
  std::string text(1024, '\0');
  const ssize_t bytes = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  while (text.ends_with('\n')) text.pop_back();
  for (char& letter : text) {
    if (letter == '\n') letter = ' ';
  }
  return text;
}

// Its path; empty when it is not installed.
std::string find_resolvconf() {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  std::string_view rest = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/resolvconf";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(colon == rest.npos ? rest.size() : colon + 1);
  }
  return {};
}

Result<void> run_resolvconf(std::vector<std::string> arguments, std::string_view input) {
  const std::string program = find_resolvconf();
  if (program.empty()) return fail("run resolvconf: it is not installed");
  const UniqueFd in(::memfd_create("resolvconf-in", MFD_CLOEXEC));
  const UniqueFd complaints(::memfd_create("resolvconf-out", MFD_CLOEXEC));
  if (!in.is_open() || !complaints.is_open()) return os_error("run resolvconf: make a memory file");
  if (::pwrite(in.get(), input.data(), input.size(), 0) < 0) return os_error("run resolvconf");

  std::string name = "resolvconf";
  std::vector<char*> argv = {name.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const SpawnSettings settings(in.get(), complaints.get(), SpawnSettings::Group::kOurs);
  pid_t child = 0;
  if (const int error = ::posix_spawn(&child, program.c_str(), settings.files(),
                                      settings.attributes(), argv.data(), environ)) {
    return os_error("run " + program, error);
  }

  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return os_error("wait for resolvconf");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail("resolvconf " + arguments[0] + " " + arguments[1] + ": " + content_of(complaints));
}

}  // namespace

bool is_resolvconf_installed() {
  return !find_resolvconf().empty();
}

std::string resolvconf_record(const std::string& tun_name) {
  return (file_exists("/etc/resolvconf/interface-order") ? "tun." : "") + tun_name;
}

Result<void> add_resolvconf_record(const std::string& record, const std::string& text) {
  const auto added = run_resolvconf({"-a", record, "-m", "0", "-x"}, text);
  if (added) return {};
  const auto deleted = delete_resolvconf_record(record);
  return deleted ? added : fail(added.error().message + "; " + deleted.error().message);
}

Result<void> delete_resolvconf_record(const std::string& record) {
  return run_resolvconf({"-d", record, "-f"}, "");
}

}  // namespace qdt::os
