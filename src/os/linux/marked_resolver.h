#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/name_server.h"
#include "base/result.h"

namespace qdt::os {

/// The addresses of a name by /etc/hosts and these name servers, asked by packets with kTunnelMark.
Result<std::vector<IpAddress>> resolve_marked(const std::string& name,
                                              std::span<const NameServer> name_servers);

}  // namespace qdt::os
