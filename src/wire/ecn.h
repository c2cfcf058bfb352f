#pragma once

#include "base/bytes.h"
#include "base/udp_burst.h"

namespace qdt::wire {

/// Marks an IPv4 or IPv6 packet, which was parsed, as having met congestion (RFC 3168 section 5).
/// False when its sender does not understand that: it must be dropped instead.
[[nodiscard]] bool mark_congestion(MutableBytes packet);

/// The ECN field of an IPv4 or IPv6 packet, which was parsed.
Ecn ecn_of(Bytes packet);

}  // namespace qdt::wire
