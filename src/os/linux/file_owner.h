#pragma once

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "os/sandbox.h"

namespace qdt::os {

/// Whether the file belongs to the user of that name.
inline bool is_owned_by(const struct stat& status, const char* user) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr && status.st_uid == entry.pw_uid;
}

/// Whether the file belongs to root, to the user of this process, or to the one that the programs
/// run as.
inline bool is_owned_by_us(const struct stat& status) {
  return status.st_uid == 0 || status.st_uid == ::geteuid() || is_owned_by(status, kOwnUser);
}

/// Whether somebody else may write the file, or make it so that he may.
inline bool is_open_to_others(const struct stat& status) {
  return !is_owned_by_us(status) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

}  // namespace qdt::os
