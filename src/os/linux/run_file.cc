#include "os/run_file.h"

#include <sys/stat.h>

#include "os/linux/system_error.h"
#include "os/linux/undo_journal.h"

namespace qdt::os {

Result<std::string> run_file_path(const std::string& tun_name, const std::string& kind) {
  struct stat status{};
  if (::stat("/proc/thread-self/ns/net", &status) < 0) {
    return os_error("look for this network namespace (is /proc mounted?)");
  }
  return std::string(kJournalDirectory) + "/" + tun_name + "." + std::to_string(status.st_ino) +
         "." + kind;
}

}  // namespace qdt::os
