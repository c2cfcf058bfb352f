#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "wire/ip_packet.h"

namespace qdt::wire {

/// No ICMP error of ours is longer: RFC 4443 section 2.4(c) for IPv6; RFC 1812 section 4.3.2.3
/// allows 576 for IPv4.
inline constexpr std::size_t kMaxIcmpErrorBytes = 1280;

/// Writes to `out` (kMaxIcmpErrorBytes long) the ICMP error that tells the sender of `packet` to
/// send at most `mtu` bytes: Fragmentation Needed (RFC 1191) or Packet Too Big (RFC 4443 section
/// 3.2), from `from`, which is of the packet's family. Returns its length, or 0 where RFC 1122
/// section 3.2.2 or RFC 4443 section 2.4(e) forbids an answer: to an ICMP error, a later fragment,
/// or where source or destination is not one host's; likewise where one of them is link-local, as a
/// tunnel is no link, and where IPv6's extension headers do not show what the packet is.
std::size_t write_too_big(const IpPacket& packet, std::size_t mtu, const IpAddress& from,
                          MutableBytes out);

/// The same of an error that says that there is no way to the packet's destination: Destination
/// Unreachable, code 0 (RFC 792; RFC 4443 section 3.1), after which a sender tries another address.
std::size_t write_unreachable(const IpPacket& packet, const IpAddress& from, MutableBytes out);

/// The same of an error that says that nobody here may send from the packet's source: communication
/// administratively prohibited (RFC 1812 section 5.2.7.1), or source address failed policy (RFC
/// 4443 section 3.1).
std::size_t write_wrong_source(const IpPacket& packet, const IpAddress& from, MutableBytes out);

}  // namespace qdt::wire
