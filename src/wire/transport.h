#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip_packet.h"

namespace qdt::wire {

// RFC 9293 section 3.1; RFC 768.
inline constexpr std::size_t kTcpHeaderBytes = 20;
inline constexpr std::size_t kTcpFlags = 13;
inline constexpr std::size_t kTcpChecksum = 16;
inline constexpr std::size_t kUdpHeaderBytes = 8;
inline constexpr std::size_t kUdpLength = 4;
inline constexpr std::size_t kUdpChecksum = 6;

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpCwr = 0x80;

/// A whole TCP segment or UDP datagram in an inner packet, its header checked against the packet's
/// size. Borrows nothing: offsets only.
struct Transport {
  bool is_tcp = false;
  std::size_t start = 0;         ///< of its header; IPv4 options, IPv6 extensions are before it
  std::size_t header_bytes = 0;  ///< of everything before the payload, the IP header included

  std::size_t checksum_offset() const { return is_tcp ? kTcpChecksum : kUdpChecksum; }
};

/// A header in an IPv6 packet: its protocol, and where it starts.
struct Header {
  std::uint8_t protocol = 0;
  std::size_t start = 0;
};

/// The first header from `from` on that is no extension header which only carries options (RFC 8200
/// section 4). Nothing where their lengths contradict the packet's, or a routing header has still
/// to go somewhere.
std::optional<Header> skip_options(const IpPacket& ip, Header from);

/// Nothing for another protocol, for any fragment, for IPv6 extensions that are not mere options,
/// for a routing header that has still to go somewhere (the pseudo-header has another destination),
/// and for lengths that contradict the packet's.
std::optional<Transport> find_transport(const IpPacket& ip);

/// The pseudo-header of a TCP segment or UDP datagram (RFC 9293 section 3.1, RFC 8200 section 8.1)
/// of `transport_bytes` in `packet`, which was parsed.
Checksum pseudo_header(Bytes packet, bool is_tcp, std::size_t transport_bytes);

/// Writes into the header of an IPv4 or IPv6 packet that it has `packet_bytes` in all, and the
/// checksum of an IPv4 header. `packet` has the header at least.
void finish_ip_header(MutableBytes packet, std::size_t packet_bytes);

}  // namespace qdt::wire
