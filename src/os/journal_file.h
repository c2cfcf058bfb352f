#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace qdt::os {

/// Where a journal is kept: a file that is no other process's, and that goes with its last line.
class JournalFile {
 public:
  virtual ~JournalFile() = default;
  /// As messages call it.
  virtual std::string name() const { return "the undo journal"; }
  virtual std::string content() = 0;
  /// On file when this returns; after a failure the file is as it was, if the system allows even
  /// that.
  virtual Result<void> append(std::string_view line) = 0;
  /// Whether all of it is on file.
  virtual bool replace(std::string_view content) = 0;
  /// The file goes when the object does.
  virtual void remove_at_end() = 0;
};

}  // namespace qdt::os
