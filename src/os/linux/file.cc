#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return os_error("read " + path);
  std::string content;
  std::array<char, 16384> piece;
  for (;;) {
    const ssize_t bytes = ::read(fd.get(), piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("read " + path);
    if (bytes == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(bytes));
  }
}

Result<void> create_private_file(const std::string& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) return os_error("create " + path);
  while (!content.empty()) {
    const ssize_t bytes = ::write(fd.get(), content.data(), content.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("write " + path);
    content.remove_prefix(static_cast<std::size_t>(bytes));
  }
  if (::fsync(fd.get()) < 0) return os_error("write " + path);
  return {};
}

bool file_exists(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0;
}

bool is_readable_by_others(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

}  // namespace qdt::os
