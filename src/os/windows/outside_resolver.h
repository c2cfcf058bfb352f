#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

/// The addresses of a name by these name servers, asked outside the tunnel by this program itself:
/// Windows' own resolver is a service, whose questions neither go around the tunnel nor pass the
/// kill switch. `port` is for tests.
Result<std::vector<IpAddress>> resolve_outside(const std::string& name,
                                               std::span<const IpAddress> name_servers,
                                               std::uint16_t port = 53);

}  // namespace qdt::os
