#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace qdt::os {

/// A private file (0600) that a process opens while it may, and goes on to write when it may open
/// nothing any more. One thread.
class KeptFile {
 public:
  /// Opens the file, or makes it. One that somebody else may write is not believed: an empty one
  /// takes its place. A file that can only be read is opened for that.
  static Result<KeptFile> open(const std::string& path);
  /// One that another process has opened so.
  static KeptFile adopt(std::string path, std::intptr_t handle) {
    return KeptFile(std::move(path), handle);
  }
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;
  ~KeptFile();

  /// All that is in it: what the last replace() wrote, or, where a crash cut that short, its
  /// content and the one before, one behind the other, of which one is whole.
  Result<std::string> read() const;
  /// Whether it has no name any more: what is written to it is lost.
  bool was_removed() const;
  /// Makes `content` the whole of the file, on disk when this returns. Twice as much room is needed
  /// for a moment: it is written behind what is there before it takes its place.
  Result<void> replace(std::string_view content);
  /// The open file, for adopt() elsewhere.
  std::intptr_t release() { return std::exchange(handle_, -1); }

 private:
  KeptFile(std::string path, std::intptr_t handle) : path_(std::move(path)), handle_(handle) {}
  std::string path_;
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
