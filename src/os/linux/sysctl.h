#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace qdt::os {

/// A kernel setting of this network namespace, named by its path below /proc/sys, such as
/// "net/ipv4/ip_forward". Values are without the line's end.
Result<std::string> read_sysctl(const std::string& name);
Result<void> write_sysctl(const std::string& name, std::string_view value);
/// Not where the kernel was built or started without that part, or the device is gone.
bool has_sysctl(const std::string& name);

}  // namespace qdt::os
