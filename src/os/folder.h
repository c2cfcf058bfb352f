#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// A regular file below a folder, as it was read.
struct FolderFile {
  std::string path;  ///< from the folder, `/` between the parts: `images/logo.png`
  std::string content;
  std::int64_t modified = 0;  ///< seconds since the Unix epoch
};

struct FolderContent {
  std::vector<FolderFile> files;
  /// The files left out, and why, in words: at most kMaxFolderNotes.
  std::vector<std::string> notes;
};
inline constexpr std::size_t kMaxFolderNotes = 16;

struct FolderLimits {
  std::size_t files = 1024;
  std::size_t bytes = 16 << 20;  ///< of all contents together
  std::size_t depth = 16;        ///< folders inside one another
};

/// Reads every regular file below `path`. Nothing outside is ever opened: a link is followed where
/// it leads to a file of the same folder, and left out where it leads elsewhere or to a folder.
/// Left out are also files whose names begin with a dot, but for `.well-known`, and what is no
/// file. More than `limits` is an error.
Result<FolderContent> read_folder(const std::string& path, const FolderLimits& limits = {});

}  // namespace qdt::os
