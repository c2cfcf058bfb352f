#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "wire/ip_packet.h"
#include "wire/transport.h"

namespace qdt::wire {

inline constexpr std::uint8_t kTcpSyn = 0x02;

/// Whether `ip` opens a TCP connection, SYN or SYN-ACK: one of the few that name an MSS. A few
/// comparisons; what is behind IPv6 extension headers or an IPv4 fragment is left alone.
inline bool opens_tcp(const IpPacket& ip) {
  return ip.protocol == kProtocolTcp && !ip.is_later_fragment &&
         ip.bytes.size() > ip.header_bytes + kTcpFlags &&
         (ip.bytes[ip.header_bytes + kTcpFlags] & kTcpSyn) != 0;
}

/// Lowers the MSS (RFC 9293 section 3.7.1) in `packet`, which `ip` was parsed from and which
/// opens_tcp(), to what a path of packets of `mtu` bytes carries, and mends the checksum by what
/// has changed (RFC 1624): a wrong one stays wrong. Returns whether it was higher. An MSS that is
/// missing, smaller, or behind options that contradict their lengths stays as it is.
bool clamp_mss(MutableBytes packet, const IpPacket& ip, std::size_t mtu);

}  // namespace qdt::wire
