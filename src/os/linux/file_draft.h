#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/result.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// The next content of a file, beside it until publish(). Somebody else may write it.
class FileDraft {
 public:
  /// Empty. One that a crash has left gives way.
  static Result<FileDraft> begin(std::string path, mode_t mode);
  FileDraft(FileDraft&& other) noexcept
      : path_(std::exchange(other.path_, "")), file_(std::move(other.file_)) {}
  FileDraft& operator=(FileDraft&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
  }
  /// Forgets a draft that was not published.
  ~FileDraft();

  int fd() const { return file_.get(); }
  /// Takes the file's place, as a whole.
  Result<void> publish();

 private:
  FileDraft(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;  // of the file; empty: published
  UniqueFd file_;
};

}  // namespace qdt::os
