#include "os/file_stamp.h"

#include <sys/stat.h>

#include <cerrno>

namespace qdt::os {
namespace {

// FNV-1a, by words.
void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x100000001b3;
  hash ^= hash >> 29;
}

}  // namespace

// A rename or another mode changes ctime as a write does, and nobody can set it.
std::uint64_t file_stamp(std::initializer_list<std::string> paths) {
  std::uint64_t stamp = 0xcbf29ce484222325;
  for (const std::string& path : paths) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
      mix(stamp, static_cast<std::uint64_t>(errno));
      continue;
    }
    mix(stamp, status.st_dev);
    mix(stamp, status.st_ino);
    mix(stamp, static_cast<std::uint64_t>(status.st_size));
    mix(stamp, static_cast<std::uint64_t>(status.st_mtim.tv_sec));
    mix(stamp, static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
    mix(stamp, static_cast<std::uint64_t>(status.st_ctim.tv_sec));
    mix(stamp, static_cast<std::uint64_t>(status.st_ctim.tv_nsec));
  }
  return stamp;
}

}  // namespace qdt::os
