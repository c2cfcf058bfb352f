#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace qdt::os {

/// A file in memory that only this process sees and that is gone with the object, for libraries
/// that insist on writing to a path.
class ScratchFile {
 public:
  static Result<ScratchFile> create();
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;
  ~ScratchFile();

  /// Opens the file, in this process, as long as the object lives.
  std::string path() const;
  /// All that was written so far.
  Result<std::string> read() const;

 private:
  explicit ScratchFile(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
