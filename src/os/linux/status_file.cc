#include "os/status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "os/file.h"
#include "os/linux/status_text.h"
#include "os/linux/system_error.h"
#include "os/linux/undo_journal.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

/// The first line of a status file, so that a number that was given to another process since is
/// not taken for the writer: `process PID STARTED`.
constexpr std::string_view kHeader = "process ";

Result<std::string> file_suffix(const std::string& kind = "status") {
  struct stat status{};
  if (::stat("/proc/thread-self/ns/net", &status) < 0) {
    return os_error("look for this network namespace (is /proc mounted?)");
  }
  return "." + std::to_string(status.st_ino) + "." + kind;
}

// When a process began, in ticks since boot: field 22 of /proc/PID/stat (proc(5)). Counted from
// behind the program's name, which may hold anything.
std::string start_of_process(const std::string& pid) {
  const auto stat = read_file("/proc/" + pid + "/stat");
  if (!stat) return "";
  auto at = stat->rfind(')');
  if (stat->find(" Z ", at) == at + 1 || stat->find(" X ", at) == at + 1) return "";
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos) return "";
  return stat->substr(at + 1, stat->find(' ', at + 1) - at - 1);
}

std::string header_of(const std::string& pid) {
  return std::string(kHeader) + pid + " " + start_of_process(pid);
}

bool is_alive(std::string_view header) {
  if (!header.starts_with(kHeader)) return false;
  header.remove_prefix(kHeader.size());
  const std::string pid(header.substr(0, header.find(' ')));
  const bool is_number = !pid.empty() && std::ranges::all_of(pid, [](char letter) {
    return letter >= '0' && letter <= '9';
  });
  return is_number && std::string(kHeader) + std::string(header) == header_of(pid) &&
         !start_of_process(pid).empty();
}

Result<void> write_whole(const std::string& path, std::string_view content) {
  const UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  // Whatever the umask.
  if (!file.is_open() || ::fchmod(file.get(), 0644) < 0) return os_error("write " + path);
  const ssize_t written = ::write(file.get(), content.data(), content.size());
  if (written < 0) return os_error("write " + path);
  if (static_cast<std::size_t>(written) != content.size()) {
    return fail("write " + path + ": the file system is full");
  }
  return {};
}

}  // namespace

Result<std::string> run_file_path(const std::string& tun_name, const std::string& kind) {
  const auto suffix = file_suffix(kind);
  if (!suffix) return fail(suffix);
  return std::string(kJournalDirectory) + "/" + tun_name + *suffix;
}

Result<StatusFile> StatusFile::open(const std::string& tun_name) {
  auto path = run_file_path(tun_name, "status");
  if (!path) return fail(path);
  return StatusFile(std::move(*path));
}

std::string status_text(std::string_view content) {
  return header_of(std::to_string(::getpid())) + "\n" + std::string(content);
}

StatusFile::~StatusFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> StatusFile::write(std::string_view content) const {
  const std::string whole = status_text(content);
  const std::string temporary = path_ + ".new";
  auto written = write_whole(temporary, whole);
  if (written && ::rename(temporary.c_str(), path_.c_str()) < 0)
    written = os_error("write " + path_);
  if (!written) ::unlink(temporary.c_str());  // half a file, of no use to anybody
  return written;
}

std::vector<FoundStatus> find_status_files(const std::string& tun_name) {
  std::vector<FoundStatus> found;
  const auto suffix = file_suffix();
  if (!suffix) return found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kJournalDirectory, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(*suffix)) continue;
    name.resize(name.size() - suffix->size());
    if (!tun_name.empty() && name != tun_name) continue;
    const auto content = read_file(entry.path().string());
    if (!content) continue;  // it went while we looked
    const auto end = std::min(content->find('\n'), content->size());
    found.push_back({.tun_name = std::move(name),
                     .content = content->substr(std::min(end + 1, content->size())),
                     .is_alive = is_alive(std::string_view(*content).substr(0, end))});
  }
  std::ranges::sort(found, {}, &FoundStatus::tun_name);
  return found;
}

}  // namespace qdt::os
