#pragma once

#include <optional>
#include <span>

#include "base/ip_address.h"

namespace qdt::server {

/// The first of a host's addresses, IPv4 before IPv6, that others can reach it by: none of a
/// private network (RFC 1918, RFC 4193), of a provider's translator (RFC 6598), of one link.
std::optional<IpAddress> public_address(std::span<const IpAddress> addresses);

}  // namespace qdt::server
