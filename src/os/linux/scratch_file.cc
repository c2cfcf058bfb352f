#include "os/scratch_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

int fd(std::intptr_t handle) {
  return static_cast<int>(handle);
}

void close_handle(std::intptr_t handle) {
  if (handle >= 0) ::close(fd(handle));
}

}  // namespace

Result<ScratchFile> ScratchFile::create() {
  const int file = ::memfd_create("qdt-scratch", MFD_CLOEXEC);
  if (file < 0) return os_error("memfd_create");
  return ScratchFile(file);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
  if (this != &other) {
    close_handle(handle_);
    handle_ = std::exchange(other.handle_, -1);
  }
  return *this;
}

ScratchFile::~ScratchFile() {
  close_handle(handle_);
}

std::string ScratchFile::path() const {
  return "/proc/self/fd/" + std::to_string(handle_);
}

Result<std::string> ScratchFile::read() const {
  struct stat status{};
  if (::fstat(fd(handle_), &status) != 0) return os_error("fstat " + path());

  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t bytes = ::pread(fd(handle_), content.data() + done, content.size() - done,
                                  static_cast<off_t>(done));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("read " + path());
    if (bytes == 0) break;
    done += static_cast<std::size_t>(bytes);
  }
  content.resize(done);
  return content;
}

}  // namespace qdt::os
