#include "os/linux/undo_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "os/file.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

constexpr std::string_view kHeader = "QDT undo journal 1, process ";  // 12, network BOOT/COOKIE

/// The end of this namespace's file names.
Result<std::string> journal_suffix() {
  struct stat status{};
  if (::stat("/proc/thread-self/ns/net", &status) < 0) {
    return os_error("look for this network namespace (is /proc mounted?)");
  }
  return "." + std::to_string(status.st_ino) + ".undo";
}

// What tells this network namespace from every other one, also from one that had its inode before:
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

std::string header() {
  return std::string(kHeader) + std::to_string(::getpid()) + ", network " + network_identity();
}

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

std::unexpected<Error> is_in_use(const std::string& tun_name, const UniqueFd& file) {
  const std::string content = content_of(file);
  std::string owner = "a process";
  if (content.starts_with(kHeader)) {
    owner = "process " +
            content.substr(kHeader.size(), content.find(',', kHeader.size()) - kHeader.size());
  }
  return fail("device " + tun_name + " is in use by " + owner +
              " in this network namespace; stop that, or choose another device name");
}

// Files stay when a network goes, with all its routes, rules and settings.
bool outlives_its_network(const UndoStep& step) {
  return std::holds_alternative<RestoreResolvConf>(step) ||
         std::holds_alternative<DeleteResolvconfRecord>(step);
}

bool was_removed(const UniqueFd& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 && status.st_nlink == 0;
}

}  // namespace

Result<UniqueFd> lock_journals(const std::string& directory) {
  const std::string remedy = "; run as root, or give the service RuntimeDirectory=qdt";
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
    return fail(os_error("create " + directory).error().message + remedy);
  }
  const std::string path = directory + "/lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) return fail(os_error("open " + path).error().message + remedy);
  while (::flock(lock.get(), LOCK_EX) < 0) {
    if (errno != EINTR) return os_error("lock " + path);
  }
  return lock;
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

Result<UndoJournal> UndoJournal::open(const std::string& directory, const std::string& tun_name,
                                      Logger& logger) {
  const auto suffix = journal_suffix();
  if (!suffix) return fail(suffix);
  const std::string path = directory + "/" + tun_name + *suffix;
  for (;;) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return os_error("open the undo journal " + path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) return is_in_use(tun_name, file);
    if (was_removed(file)) continue;  // by its owner, who ended between our two calls

    UndoJournal journal(path, std::move(file));
    journal.load(logger);
    journal.rewrite();
    return journal;
  }
}

UndoJournal::~UndoJournal() {
  if (file_.is_open() && steps_.empty()) ::unlink(path_.c_str());
}

void UndoJournal::load(Logger& logger) {
  const std::string content = content_of(file_);
  std::string_view rest = content;
  bool is_network_gone = false;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (number == 1 && line.starts_with(kHeader)) {
      is_network_gone = !line.ends_with(", network " + network_identity());
      continue;
    }
    auto step = parse_undo_step(line);
    if (!step) {
      logger.warning("line " + std::to_string(number) + " of the undo journal " + path_ +
                     " is damaged: what it would have undone stays as it is");
      continue;
    }
    if (!is_network_gone || outlives_its_network(*step)) steps_.push_back(std::move(*step));
  }
}

bool UndoJournal::contains(const UndoStep& step) const {
  return std::ranges::find(steps_, step) != steps_.end();
}

Result<void> UndoJournal::add(const UndoStep& step) {
  const std::string line = to_json(step) + "\n";
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written < 0) return os_error("write the undo journal " + path_);
  if (static_cast<std::size_t>(written) != line.size()) {
    rewrite();
    return fail("write the undo journal " + path_ + ": the file system is full");
  }
  steps_.push_back(step);
  return {};
}

void UndoJournal::forget_newest() {
  steps_.pop_back();
  rewrite();
}

void UndoJournal::forget(const UndoStep& step) {
  const auto place = std::ranges::find(steps_, step);
  if (place == steps_.end()) return;
  steps_.erase(place);
  rewrite();
}

std::vector<std::string> UndoJournal::undo_down_to(std::size_t kept, const Undo& undo,
                                                   Logger& logger) {
  std::vector<std::string> done;
  std::vector<UndoStep> failed;
  while (steps_.size() > kept) {
    const auto undone = undo(steps_.back());
    if (!undone) {
      logger.warning("cannot undo: " + undone.error().message);
      failed.insert(failed.begin(), steps_.back());
    } else if (!undone->empty()) {
      logger.info(*undone);
      done.push_back(*undone);
    }
    steps_.pop_back();
  }
  steps_.insert(steps_.end(), failed.begin(), failed.end());
  rewrite();
  return done;
}

void UndoJournal::undo_one(const UndoStep& step, const Undo& undo, Logger& logger) {
  const auto place = std::ranges::find(steps_, step);
  if (place == steps_.end()) return;
  const auto undone = undo(step);
  if (!undone) return logger.warning("cannot undo: " + undone.error().message);
  if (!undone->empty()) logger.info(*undone);
  steps_.erase(place);
  rewrite();
}

// Killed between these calls, a process leaves at worst lines too many: the rest of one is
// reported, and steps that were done already do nothing.
void UndoJournal::rewrite() {
  std::string content = header() + "\n";
  for (const UndoStep& step : steps_) content += to_json(step) + "\n";
  const auto bytes = static_cast<ssize_t>(content.size());
  ::lseek(file_.get(), 0, SEEK_SET);
  if (::write(file_.get(), content.data(), content.size()) != bytes) return;
  // Nothing to be done about a failure: the file then undoes too much, which is harmless.
  [[maybe_unused]] const int result = ::ftruncate(file_.get(), bytes);
}

}  // namespace qdt::os
