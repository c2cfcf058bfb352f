#pragma once

#include <string>
#include <string_view>

namespace qdt::os {

/// The whole of a status file with this content, of this process.
std::string status_text(std::string_view content);

}  // namespace qdt::os
