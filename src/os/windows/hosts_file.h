#pragma once

#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace qdt::os {

/// The addresses that a hosts file of this content has for `name`, in its order.
std::vector<IpAddress> addresses_in_hosts(std::string_view content, std::string_view name);

}  // namespace qdt::os
