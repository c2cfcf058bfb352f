#include "os/linux/file_draft.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

std::string beside(const std::string& path) {
  return path + ".new";
}

}  // namespace

Result<FileDraft> FileDraft::begin(std::string path, mode_t mode) {
  const std::string draft = beside(path);
  ::unlink(draft.c_str());  // it may be anybody's to read
  UniqueFd file(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.is_open() || ::fchmod(file.get(), mode) < 0) return os_error("write " + path);
  return FileDraft(std::move(path), std::move(file));
}

FileDraft::~FileDraft() {
  if (!path_.empty()) ::unlink(beside(path_).c_str());
}

Result<void> FileDraft::publish() {
  const std::string path = std::exchange(path_, "");
  if (::rename(beside(path).c_str(), path.c_str()) == 0) return {};
  const auto error = os_error("write " + path);
  ::unlink(beside(path).c_str());
  return error;
}

}  // namespace qdt::os
