#include "os/kept_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "os/file.h"
#include "os/linux/file_owner.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

int fd(std::intptr_t handle) {
  return static_cast<int>(handle);
}

Result<UniqueFd> open_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (!file.is_open() && (errno == EROFS || errno == EACCES)) {
    const int error = errno;
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file.is_open()) errno = error;
  }
  if (!file.is_open()) return os_error("read " + path);
  return file;
}

Result<void> write_at(int file, std::string_view content, std::size_t offset,
                      const std::string& path) {
  while (!content.empty()) {
    const ssize_t bytes =
        ::pwrite(file, content.data(), content.size(), static_cast<off_t>(offset));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("write " + path);
    content.remove_prefix(static_cast<std::size_t>(bytes));
    offset += static_cast<std::size_t>(bytes);
  }
  if (::fdatasync(file) < 0) return os_error("write " + path);
  return {};
}

}  // namespace

Result<KeptFile> KeptFile::open(const std::string& path) {
  auto file = open_file(path);
  if (!file) return fail(file);
  struct stat status{};
  if (::fstat(file->get(), &status) < 0) return os_error("read " + path);
  if (!S_ISREG(status.st_mode)) return fail("read " + path + ": it is no file");
  if (is_open_to_others(status)) {
    if (auto ok = remove_file(path); !ok) return fail(ok);
    file = open_file(path);
    if (!file) return fail(file);
  } else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    ::fchmod(file->get(), 0600);
  }
  return KeptFile(path, file->release());
}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, -1)) {}

KeptFile& KeptFile::operator=(KeptFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  return *this;
}

KeptFile::~KeptFile() {
  if (handle_ >= 0) ::close(fd(handle_));
}

Result<std::string> KeptFile::read() const {
  std::string content;
  std::array<char, 16384> piece;
  for (;;) {
    const ssize_t bytes =
        ::pread(fd(handle_), piece.data(), piece.size(), static_cast<off_t>(content.size()));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("read " + path_);
    if (bytes == 0) return content;
    if (content.size() + static_cast<std::size_t>(bytes) > kMaxFileBytes) {
      return fail("read " + path_ + ": larger than " + std::to_string(kMaxFileBytes) + " bytes");
    }
    content.append(piece.data(), static_cast<std::size_t>(bytes));
  }
}

bool KeptFile::was_removed() const {
  struct stat status{};
  return ::fstat(fd(handle_), &status) == 0 && status.st_nlink == 0;
}

// At any moment one of the two copies is whole, and on disk.
Result<void> KeptFile::replace(std::string_view content) {
  struct stat status{};
  if (::fstat(fd(handle_), &status) < 0) return os_error("write " + path_);
  // A longer file is never read, and room for it twice is more than a disk may have.
  const bool is_too_large = static_cast<std::size_t>(status.st_size) > kMaxFileBytes;
  if (is_too_large && ::ftruncate(fd(handle_), 0) < 0) return os_error("write " + path_);
  const std::size_t before = is_too_large ? 0 : static_cast<std::size_t>(status.st_size);
  const std::size_t behind = std::max(before, content.size());
  if (before > 0) {
    // The room for the copy first: a disk that is full leaves the file as it was.
    const bool has_room = content.empty() ||
                          ::fallocate(fd(handle_), 0, static_cast<off_t>(behind),
                                      static_cast<off_t>(content.size())) == 0 ||
                          errno == EOPNOTSUPP;
    const auto copied = has_room ? write_at(fd(handle_), content, behind, path_)
                                 : Result<void>(os_error("write " + path_));
    if (!copied) {
      [[maybe_unused]] const int cut = ::ftruncate(fd(handle_), static_cast<off_t>(before));
      return copied;
    }
  }
  if (auto written = write_at(fd(handle_), content, 0, path_); !written) return written;
  if (::ftruncate(fd(handle_), static_cast<off_t>(content.size())) < 0) {
    return os_error("write " + path_);
  }
  return {};
}

}  // namespace qdt::os
