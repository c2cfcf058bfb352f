#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// A kernel setting of this network namespace, named by its path below /proc/sys, such as
/// "net/ipv4/ip_forward". Values are without the line's end.
Result<std::string> read_sysctl(const std::string& name);
Result<void> write_sysctl(const std::string& name, std::string_view value);
/// Not where the kernel was built or started without that part, or the device is gone.
bool has_sysctl(const std::string& name);

/// Those with settings of their own, and "all" and "default". `family` is "ipv4" or "ipv6".
std::vector<std::string> configured_interfaces(const std::string& family);
/// Whether this network has a way to the IPv6 world.
bool has_ipv6_default_route();

}  // namespace qdt::os
