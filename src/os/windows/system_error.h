#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

inline constexpr std::string_view kNeedsAdministrator =
    "needs administrator's rights: run it in a terminal that was opened with \"Run as "
    "administrator\", or as a service (qdt-client service install)";

/// A Windows error code in words and as a number, with the remedy where that is the same
/// everywhere. English where this Windows speaks it.
std::string windows_text(DWORD error);

/// The failure of the system call just made: `return windows_error("open " + path);`
std::unexpected<Error> windows_error(std::string_view doing, DWORD error = ::GetLastError());

/// Whether this process has administrator's rights now (it is elevated).
bool is_elevated();

}  // namespace qdt::os
