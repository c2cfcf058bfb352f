#include "os/standard_error.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace qdt::os {

bool is_standard_error_the_journal() {
  // Children inherit the variable with whatever standard error they were given, so what it names
  // has to be compared. Read at start-up, before there are threads.
  const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  struct stat status{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace qdt::os
