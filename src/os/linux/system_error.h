#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "base/result.h"

namespace qdt::os {

inline constexpr std::string_view kNeedsNetAdmin =
    "needs CAP_NET_ADMIN: run as root, or give the service AmbientCapabilities=CAP_NET_ADMIN";

/// An errno in words, with the remedy where that is the same everywhere.
inline std::string errno_text(int error) {
  std::string text = std::generic_category().message(error);
  if (error == EPERM) text.append("; ").append(kNeedsNetAdmin);
  return text;
}

/// The failure of the system call just made: `return os_error("open /dev/net/tun");`
inline std::unexpected<Error> os_error(std::string_view doing, int error = errno) {
  return fail(std::string(doing) + ": " + errno_text(error));
}

/// Whether a file cannot be written because its disk is full or read-only.
inline bool is_for_want_of_room(int error) {
  return error == EROFS || error == ENOSPC || error == EDQUOT;
}

}  // namespace qdt::os
