#include "os/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/clock.h"
#include "os/file_advice.h"
#include "os/linux/file_owner.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

namespace {

// For all of a pipe or terminal: one that brings a byte now and then keeps nobody longer.
constexpr Duration kPipePatience = 5s;

// Until when a read may wait: for ever for a file, which brings all that it has.
Timestamp deadline_of(const UniqueFd& fd) {
  struct stat status{};
  const bool is_file = ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? Timestamp::max() : now() + kPipePatience;
}

// Whether something can be read before the deadline.
bool has_content(const UniqueFd& fd, Timestamp deadline) {
  const Duration patience = deadline - now();
  if (patience <= Duration::zero()) return false;
  const auto milliseconds = static_cast<int>(std::min<Duration>(patience, kPipePatience) / 1ms);
  pollfd polled{.fd = fd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, milliseconds) != 0;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: opening a named pipe does not wait for its writer.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open()) return os_error("read " + path);
  std::string content;
  std::array<char, 16384> piece;
  const Timestamp deadline = deadline_of(fd);
  for (;;) {
    if (!has_content(fd, deadline)) {
      return fail("read " + path + ": " +
                  (content.empty() ? "nothing was written to it for 5 s"
                                   : "whoever writes to it has not come to an end within 5 s"));
    }
    const ssize_t bytes = ::read(fd.get(), piece.data(), piece.size());
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (bytes < 0) return os_error("read " + path);
    if (bytes == 0) return content;
    if (content.size() + static_cast<std::size_t>(bytes) > max_bytes) {
      return fail("read " + path + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
    content.append(piece.data(), static_cast<std::size_t>(bytes));
  }
}

namespace {

// All of `content`, on disk when this returns.
Result<void> write_all(const UniqueFd& fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t bytes = ::write(fd.get(), content.data(), content.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("write " + path);
    content.remove_prefix(static_cast<std::size_t>(bytes));
  }
  if (::fsync(fd.get()) < 0) return os_error("write " + path);
  return {};
}

}  // namespace

Result<void> create_private_file(const std::string& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) return os_error("create " + path);
  auto written = write_all(fd, content, path);
  if (!written) ::unlink(path.c_str());  // half a file would be taken for the user's
  return written;
}

Result<void> replace_private_file(const std::string& path, std::string_view content) {
  const std::string next = path + ".new";
  ::unlink(next.c_str());  // what a crash has left: it may be anybody's to read
  const auto written = create_private_file(next, content);
  if (!written || ::rename(next.c_str(), path.c_str()) != 0) {
    const auto error = written ? os_error("replace " + path) : fail(written);
    ::unlink(next.c_str());
    return error;
  }
  // The name, too, is on disk only when its folder is.
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.is_open()) ::fsync(fd.get());
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_error("remove " + path);
  return {};
}

bool file_exists(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0;
}

bool is_writable_by_others(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && is_open_to_others(status);
}

bool is_readable_by_others(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

Result<void> check_secret(const std::string& path, const std::string& held,
                          const std::string& user) {
  struct stat status{};
  // A pipe or a terminal brings it once.
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const std::string holds = path + ": holds " + held + ", and ";
  if (!is_owned_by_us(status) && !is_owned_by(status, user.c_str())) {
    return fail(holds + "belongs to user ID " + std::to_string(status.st_uid) + "; " +
                how_to_keep_others_from_writing(path));
  }
  constexpr mode_t kReading = S_IRGRP | S_IROTH;
  if ((status.st_mode & kReading) != 0) {
    return fail(holds + "others may read it; " + how_to_hide_from_others(path));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(holds + "others may write it; " + how_to_hide_from_others(path));
  }
  return {};
}

}  // namespace qdt::os
