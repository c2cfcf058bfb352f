#include "os/silenced_libraries.h"

#include <sys/types.h>

namespace qdt::os {
namespace {

ssize_t discard(void*, const char*, std::size_t bytes) {
  return static_cast<ssize_t>(bytes);
}

// Never closed: another thread may be about to print. Needs no file, which the sandbox would
// refuse.
std::FILE* nowhere() {
  static std::FILE* const stream = ::fopencookie(nullptr, "w", {.write = discard});
  return stream;
}

}  // namespace

SilencedLibraries::SilencedLibraries() : before_(stderr) {
  if (std::FILE* const stream = nowhere()) stderr = stream;  // glibc has it as a variable
}

SilencedLibraries::~SilencedLibraries() {
  stderr = before_;
}

}  // namespace qdt::os
