#pragma once

#include <span>
#include <vector>

#include "base/ip_address.h"
#include "wire/ip_capsule.h"

namespace qdt::wire {

/// The ranges of these prefixes, for all protocols: joined where they meet or overlap, and in the
/// order of ROUTE_ADVERTISEMENT (RFC 9484 section 4.7.3). A range that would end in IPv4-mapped
/// addresses ends before them.
std::vector<IpRange> ranges_of(std::span<const Prefix> prefixes);

/// The fewest prefixes that are this range together, in order: one for a range that is a prefix,
/// 254 at most. The prefix of IPv4-mapped addresses is left out.
std::vector<Prefix> prefixes_of(const IpRange& range);

}  // namespace qdt::wire
