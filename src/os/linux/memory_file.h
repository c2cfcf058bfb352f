#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// `content` as a file in memory, to be passed on to another process; at most `max_bytes`.
Result<UniqueFd> make_memory_file(std::string_view content, std::size_t max_bytes);

/// The content of such a file that came from another process, as much of it as `max_bytes` and a
/// little more; `what` was being done, for the error.
Result<std::string> read_memory_file(int file, std::size_t max_bytes, const std::string& what);

}  // namespace qdt::os
