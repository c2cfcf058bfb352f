#pragma once

#include <string>

namespace qdt::os {

/// The command by which a user lets nobody but himself read `path`: the last words of a warning.
std::string how_to_hide_from_others(const std::string& path);
/// The one that keeps others from writing it, whom it may belong to.
std::string how_to_keep_others_from_writing(const std::string& path);

}  // namespace qdt::os
