#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/name_server.h"
#include "base/result.h"

namespace qdt::os {

/// The addresses of `host` (a name or an address) in the system's order of preference (RFC 6724).
/// Blocks for as long as a resolver does, a few seconds: not for a shard's thread.
///
/// Without `name_servers` the system's resolver is asked. With them, /etc/hosts and these are, by
/// packets with kTunnelMark, which go around a tunnel that has the default route or is down, and
/// pass the kill switch.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port,
                                           std::span<const NameServer> name_servers = {});

/// The files that the system's resolver reads, and folders in which they lie: those that are there
/// now. A process that may read nothing else resolves names with them.
std::vector<std::string> resolver_files();

}  // namespace qdt::os
