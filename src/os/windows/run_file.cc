#include "os/run_file.h"

#include "os/windows/run_folder.h"

namespace qdt::os {

Result<std::string> run_file_path(const std::string& tun_name, const std::string& kind) {
  const auto folder = run_folder();
  if (!folder) return fail(folder);
  return *folder + "\\" + tun_name + "." + kind;
}

}  // namespace qdt::os
