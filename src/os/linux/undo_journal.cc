#include "os/linux/undo_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <thread>

#include "os/clock.h"
#include "os/file.h"
#include "os/linux/host_process_name.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

/// The end of this namespace's file names.
Result<std::string> journal_suffix() {
  struct stat status{};
  if (::stat("/proc/thread-self/ns/net", &status) < 0) {
    return os_error("look for this network namespace (is /proc mounted?)");
  }
  return "." + std::to_string(status.st_ino) + ".undo";
}

}  // namespace

Result<std::string> journal_name(const std::string& tun_name) {
  const auto suffix = journal_suffix();
  if (!suffix) return fail(suffix);
  return tun_name + *suffix;
}

namespace {

// The identity of this network namespace among all others, also from one that had its inode before:
// numbers of inodes are used again, cookies (Linux 5.14) are not until the next boot.
std::string network_identity() {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t bytes = sizeof cookie;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &bytes);
  std::string boot = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  while (boot.ends_with('\n')) boot.pop_back();
  return boot + "/" + std::to_string(cookie);
}

class LinuxJournalFile final : public JournalFile {
 public:
  LinuxJournalFile(std::string path, UniqueFd file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string name() const override { return "the undo journal " + path_; }
  std::string content() override;
  Result<void> append(std::string_view line) override;
  bool replace(std::string_view content) override;
  void remove_at_end() override { ::unlink(path_.c_str()); }

 private:
  std::string path_;
  UniqueFd file_;
};

std::string content_of(const UniqueFd& file) {
  std::string content;
  char piece[4096];
  for (;;) {
    const ssize_t bytes =
        ::pread(file.get(), piece, sizeof piece, static_cast<off_t>(content.size()));
    if (bytes <= 0) return content;
    content.append(piece, static_cast<std::size_t>(bytes));
  }
}

// JSON has an end of its own: a line that lacks nothing but its end is whole.
std::string LinuxJournalFile::content() {
  std::string content = content_of(file_);
  if (!content.empty() && !content.ends_with('\n')) content += '\n';
  return content;
}

Result<void> LinuxJournalFile::append(std::string_view line) {
  const off_t before = ::lseek(file_.get(), 0, SEEK_END);
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written < 0) return fail(errno_text(errno));
  if (static_cast<std::size_t>(written) == line.size()) return {};
  // Nothing to be done about a failure: a part of a line is reported by whoever reads it.
  [[maybe_unused]] const int result = ::ftruncate(file_.get(), before);
  return fail("the file system is full");
}

// Killed between these calls, a process leaves at worst lines too many: the rest of one is
// reported, and steps that were done already do nothing.
bool LinuxJournalFile::replace(std::string_view content) {
  ::lseek(file_.get(), 0, SEEK_SET);
  const ssize_t bytes = ::write(file_.get(), content.data(), content.size());
  if (bytes < 0) return false;
  const bool is_whole = static_cast<std::size_t>(bytes) == content.size();
  // As many lines as there was room for.
  const std::size_t kept = is_whole
                               ? content.size()
                               : content.substr(0, static_cast<std::size_t>(bytes)).rfind('\n') + 1;
  // Nothing to be done about a failure: the file then undoes too much, which is harmless.
  [[maybe_unused]] const int result = ::ftruncate(file_.get(), static_cast<off_t>(kept));
  return is_whole;
}

// Where there is no file, because its folder is full or cannot be written.
class MissingJournalFile final : public JournalFile {
 public:
  MissingJournalFile(std::string path, int error) : path_(std::move(path)), error_(error) {}

  std::string name() const override { return "the undo journal " + path_; }
  std::string content() override { return ""; }
  Result<void> append(std::string_view) override { return fail(errno_text(error_)); }
  bool replace(std::string_view) override { return false; }
  void remove_at_end() override {}

 private:
  std::string path_;
  int error_;
};

// The process that the header names; empty without one.
std::string owner_of(const UniqueFd& file) {
  const std::string content = content_of(file);
  if (!content.starts_with(kJournalHeader)) return "";
  const std::string rest = content.substr(kJournalHeader.size());
  return rest.substr(0, rest.find(','));
}

std::string name_of_process(const std::string& pid) {
  std::string name = read_file("/proc/" + pid + "/comm").value_or("");
  while (name.ends_with('\n')) name.pop_back();
  return name;
}

std::string parent_of(const std::string& pid) {
  constexpr std::string_view kLine = "\nPPid:\t";
  const std::string status = read_file("/proc/" + pid + "/status").value_or("");
  const auto at = status.find(kLine);
  if (at == status.npos) return "";
  const auto begin = at + kLine.size();
  return status.substr(begin, status.find('\n', begin) - begin);
}

// The file that a process runs; empty where that may not be seen.
std::string program_of(const std::string& pid) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + pid + "/exe", error).string();
}

// Whether it is a host process whose main process is gone, as after kill -9: somebody else has
// become its parent, and it puts the host back and ends.
bool is_putting_back(const std::string& pid) {
  if (name_of_process(pid) != kHostProcessName) return false;
  const std::string parent = parent_of(pid);
  const std::string program = program_of(parent);
  if (!program.empty()) return program != program_of(pid);
  return !name_of_process(parent).starts_with("qdt-");
}

// Locks the file, within `patience` and for as long as `is_hopeful` says so. Why not is in errno.
template <typename IsHopeful>
bool lock_in_time(const UniqueFd& file, Duration patience, IsHopeful is_hopeful) {
  constexpr auto kLook = std::chrono::milliseconds(10);
  const Timestamp deadline = now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    if (now() >= deadline || !is_hopeful()) {
      return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;  // it may have ended between our looks
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

// As long as its last owner puts the host back.
bool lock_file(const UniqueFd& file) {
  return lock_in_time(file, kJournalPatience, [&] { return is_putting_back(owner_of(file)); });
}

// The process that holds a lock on the file, with its name: a line of /proc/locks is `1: FLOCK
// ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF` (proc(5)). Empty where it is in another namespace.
std::string holder_of(const UniqueFd& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) < 0) return "";
  const std::string inode = ":" + std::to_string(status.st_ino);
  std::istringstream locks(read_file("/proc/locks").value_or(""));
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advice, access, pid, place;
    words >> number >> kind >> advice >> access >> pid >> place;
    if (kind != "FLOCK" || !place.ends_with(inode)) continue;
    const std::string name = name_of_process(pid);
    if (!name.empty()) return pid + " (" + name + ")";
  }
  return "";
}

std::unexpected<Error> is_in_use(const std::string& tun_name, const UniqueFd& file) {
  const std::string pid = owner_of(file);
  // A person looks for, and stops, the main process.
  const bool is_host_process = !pid.empty() && name_of_process(pid) == kHostProcessName;
  const std::string owner =
      pid.empty() ? "a process" : "process " + (is_host_process ? parent_of(pid) : pid);
  return fail("device " + tun_name + " is in use by " + owner +
              " in this network namespace; stop that, or choose another device name");
}

// Whether the header says so; without one, nobody does.
bool is_of_another_network(std::string_view content, std::string_view network) {
  const std::string_view header = content.substr(0, content.find('\n'));
  return header.starts_with(kJournalHeader) && !header.ends_with(network);
}

// Files stay when a network goes, with all its routes, rules and settings.
bool outlives_its_network(const UndoStep& step) {
  return std::holds_alternative<RestoreResolvConf>(step) ||
         std::holds_alternative<RemoveResolvConfLayer>(step) ||
         std::holds_alternative<DeleteResolvconfRecord>(step);
}

bool was_removed(const UniqueFd& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 && status.st_nlink == 0;
}

// Everybody may look up what runs (`status`), whatever the umask. 0: it was made, or is there.
int make_open_folder(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) == 0)
    return ::chmod(directory.c_str(), 0755) == 0 ? 0 : errno;
  return errno == EEXIST ? 0 : errno;
}

}  // namespace

Result<UniqueFd> lock_journals(const std::string& directory, Duration patience) {
  const std::string remedy = "; run as root, or give the service RuntimeDirectory=qdt";
  if (const int error = make_open_folder(directory); error != 0) {
    if (is_for_want_of_room(error)) return UniqueFd();
    return fail(os_error("create " + directory, error).error().message + remedy);
  }
  const std::string path = directory + "/lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open() && is_for_want_of_room(errno)) return UniqueFd();
  if (!lock.is_open()) return fail(os_error("open " + path).error().message + remedy);
  if (lock_in_time(lock, patience, [] { return true; })) return lock;
  if (errno != EWOULDBLOCK) return os_error("lock " + path);
  const std::string holder = holder_of(lock);
  return fail("lock " + path + ": " + (holder.empty() ? "a process" : "process " + holder) +
              " has held it for " + std::to_string(patience / 1s) +
              " s; it may have been stopped (SIGCONT has it go on); end it, and start again");
}

std::vector<std::string> find_journals(const std::string& directory) {
  std::vector<std::string> names;
  const auto suffix = journal_suffix();
  if (!suffix) return names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(*suffix)) continue;
    name.resize(name.size() - suffix->size());
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<UndoJournal> open_journal(const std::string& directory, const std::string& tun_name,
                                 Logger& logger) {
  const auto suffix = journal_suffix();
  if (!suffix) return fail(suffix);
  const std::string path = directory + "/" + tun_name + *suffix;
  for (;;) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) {
      const int error = errno;
      const bool is_folder_missing = error == ENOENT && ::access(directory.c_str(), F_OK) != 0;
      if (!is_for_want_of_room(error) && !is_folder_missing) {
        return os_error("open the undo journal " + path, error);
      }
      return UndoJournal(
          std::make_unique<MissingJournalFile>(path, is_folder_missing ? EROFS : error),
          std::to_string(::getpid()), logger);
    }
    if (!lock_file(file)) return is_in_use(tun_name, file);
    if (was_removed(file)) continue;  // by its owner, who ended between our two calls

    const std::string network = ", network " + network_identity();  // BOOT/COOKIE
    const bool is_gone = is_of_another_network(content_of(file), network);
    const auto still_due = [&](const UndoStep& step) {
      return !is_gone || outlives_its_network(step);
    };
    return UndoJournal(std::make_unique<LinuxJournalFile>(path, std::move(file)),
                       std::to_string(::getpid()) + network, logger, still_due);
  }
}

}  // namespace qdt::os
