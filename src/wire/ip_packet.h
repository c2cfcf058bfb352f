#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace qdt::wire {

inline constexpr std::size_t kIpv4HeaderBytes = 20;
inline constexpr std::size_t kIpv6HeaderBytes = 40;
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

/// An inner packet whose IP header has been checked against its bytes: whoever holds one need not
/// ask again. Borrows the bytes it was made from.
struct IpPacket {
  Bytes bytes;
  IpAddress source;
  IpAddress destination;
  std::size_t header_bytes = 0;  ///< IPv4 with options; IPv6 without extension headers
  std::uint8_t protocol = 0;     ///< IPv4 protocol, IPv6 next header
  /// The sender wants to hear of a smaller MTU: IPv4 with DF, and every IPv6 packet.
  bool dont_fragment = false;
  /// IPv4 fragment other than the first.
  bool is_later_fragment = false;

  bool is_v4() const { return source.is_v4(); }
  Bytes payload() const { return bytes.subspan(header_bytes); }
};

/// Checks version, header length and total length against `bytes`, which must be exactly one
/// packet; nothing when they contradict each other. Header checksums are the receiver's affair.
std::optional<IpPacket> parse_ip_packet(Bytes bytes);

}  // namespace qdt::wire
