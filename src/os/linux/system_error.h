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

inline ErrorCode code_of_errno(int error) {
  switch (error) {
    case EPERM:
    case EACCES: return ErrorCode::kPermission;
    case ENOENT:
    case ENODEV:
    case ESRCH: return ErrorCode::kNotFound;
    case EBUSY:
    case EAGAIN:
    case EADDRINUSE: return ErrorCode::kBusy;
    case ETIMEDOUT: return ErrorCode::kTimeout;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE: return ErrorCode::kUnavailable;
    case EINVAL: return ErrorCode::kInvalidArgument;
    default: return ErrorCode::kIo;
  }
}

/// The failure of the system call just made: `return os_error("open /dev/net/tun");`
inline std::unexpected<Error> os_error(std::string_view doing, int error = errno) {
  return fail(std::string(doing) + ": " + errno_text(error), code_of_errno(error));
}

/// Whether a file cannot be written because its disk is full or read-only.
inline bool is_for_want_of_room(int error) {
  return error == EROFS || error == ENOSPC || error == EDQUOT;
}

}  // namespace qdt::os
