#pragma once

#include <string>

#include "base/result.h"

namespace qdt::os {

/// `/run/qdt/TUN.NAMESPACE.KIND`, on Windows a file of its own folder: where a program keeps what
/// concerns one TUN device of this network namespace until the next boot.
Result<std::string> run_file_path(const std::string& tun_name, const std::string& kind);

}  // namespace qdt::os
