#include "wire/icmp.h"

#include <algorithm>
#include <cassert>

#include "wire/checksum.h"
#include "wire/transport.h"

namespace qdt::wire {
namespace {

constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kMaxIcmpv4ErrorBytes = 576;
constexpr std::uint8_t kTtl = 64;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::size_t kFragmentHeaderBytes = 8;
constexpr std::uint8_t kRedirect = 137;

/// The head of an error: both families have a number of 16 or 32 bits behind their checksum, 0
/// where it means nothing.
struct Error {
  std::uint8_t type;
  std::uint8_t code;
  std::size_t mtu = 0;
};

// Of IPv4's addresses not the first 256th, nor class E, whose last address is a broadcast (RFC 1122
// section 3.2.2).
bool is_host(const IpAddress& address) {
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast() ||
      address.is_link_local()) {
    return false;
  }
  return !address.is_v4() || (address.bytes()[0] > 0 && address.bytes()[0] < 240);
}

// Errors are 3, 4, 5, 11 and 12 (RFC 1122 section 3.2.2); the rest are queries and answers.
bool is_icmpv4_error(const IpPacket& packet) {
  if (packet.protocol != kProtocolIcmp || packet.payload().empty()) return false;
  const std::uint8_t type = packet.payload()[0];
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

bool may_be_answered_v6(const IpPacket& packet) {
  auto upper = skip_options(packet, {packet.protocol, packet.header_bytes});
  if (upper && upper->protocol == kFragmentHeader) {
    const Bytes header = packet.bytes.subspan(upper->start);
    if (header.size() < kFragmentHeaderBytes) return false;
    const bool is_later_fragment = (load_be<std::uint16_t>(&header[2]) & 0xfff8) != 0;
    if (is_later_fragment) return false;
    upper = skip_options(packet, {header[0], upper->start + kFragmentHeaderBytes});
  }
  if (!upper) return false;
  if (upper->protocol != kProtocolIcmpv6 || upper->start == packet.bytes.size()) return true;
  const std::uint8_t type = packet.bytes[upper->start];
  return type >= 128 && type != kRedirect;
}

bool may_be_answered(const IpPacket& packet) {
  if (!is_host(packet.source) || !is_host(packet.destination)) return false;
  if (!packet.is_v4()) return may_be_answered_v6(packet);
  return !packet.is_later_fragment && !is_icmpv4_error(packet);
}

std::size_t write_v4(const IpPacket& packet, const Error& error, const IpAddress& from,
                     MutableBytes out) {
  const std::size_t quoted =
      std::min(packet.bytes.size(), kMaxIcmpv4ErrorBytes - kIpv4HeaderBytes - kIcmpHeaderBytes);
  const std::size_t total = kIpv4HeaderBytes + kIcmpHeaderBytes + quoted;
  const MutableBytes ip = out.first(kIpv4HeaderBytes);
  const MutableBytes icmp = out.subspan(kIpv4HeaderBytes, kIcmpHeaderBytes + quoted);
  std::ranges::fill(out.first(kIpv4HeaderBytes + kIcmpHeaderBytes), std::uint8_t{0});

  ip[0] = 0x45;
  ip[1] = 0xc0;  // precedence 6, internetwork control (RFC 1812 section 4.3.2.5)
  store_be<std::uint16_t>(&ip[2], static_cast<std::uint16_t>(total));
  ip[8] = kTtl;
  ip[9] = kProtocolIcmp;
  append(ip.subspan(12), from.bytes());
  append(ip.subspan(16), packet.source.bytes());
  store_be<std::uint16_t>(&ip[10], Checksum().add(ip).finish());

  icmp[0] = error.type;
  icmp[1] = error.code;
  store_be<std::uint16_t>(&icmp[6], static_cast<std::uint16_t>(error.mtu));
  append(icmp.subspan(kIcmpHeaderBytes), packet.bytes.first(quoted));
  store_be<std::uint16_t>(&icmp[2], Checksum().add(icmp).finish());
  return total;
}

std::size_t write_v6(const IpPacket& packet, const Error& error, const IpAddress& from,
                     MutableBytes out) {
  const std::size_t quoted =
      std::min(packet.bytes.size(), kMaxIcmpErrorBytes - kIpv6HeaderBytes - kIcmpHeaderBytes);
  const std::size_t payload = kIcmpHeaderBytes + quoted;
  const MutableBytes ip = out.first(kIpv6HeaderBytes);
  const MutableBytes icmp = out.subspan(kIpv6HeaderBytes, payload);
  std::ranges::fill(out.first(kIpv6HeaderBytes + kIcmpHeaderBytes), std::uint8_t{0});

  ip[0] = 0x60;
  store_be<std::uint16_t>(&ip[4], static_cast<std::uint16_t>(payload));
  ip[6] = kProtocolIcmpv6;
  ip[7] = kTtl;
  append(ip.subspan(8), from.bytes());
  append(ip.subspan(24), packet.source.bytes());

  icmp[0] = error.type;
  icmp[1] = error.code;
  store_be<std::uint32_t>(&icmp[4], static_cast<std::uint32_t>(error.mtu));
  append(icmp.subspan(kIcmpHeaderBytes), packet.bytes.first(quoted));
  const std::uint16_t checksum = Checksum()
                                     .add(ip.subspan(8, 32))  // pseudo-header (RFC 8200 8.1)
                                     .add(static_cast<std::uint16_t>(payload))
                                     .add(std::uint16_t{kProtocolIcmpv6})
                                     .add(icmp)
                                     .finish();
  store_be<std::uint16_t>(&icmp[2], checksum);
  return kIpv6HeaderBytes + payload;
}

std::size_t write(const IpPacket& packet, const Error& error, const IpAddress& from,
                  MutableBytes out) {
  assert(out.size() >= kMaxIcmpErrorBytes && from.is_v4() == packet.is_v4());
  if (!may_be_answered(packet)) return 0;
  return packet.is_v4() ? write_v4(packet, error, from, out) : write_v6(packet, error, from, out);
}

}  // namespace

std::size_t write_too_big(const IpPacket& packet, std::size_t mtu, const IpAddress& from,
                          MutableBytes out) {
  // Fragmentation Needed and DF set; Packet Too Big.
  const Error error = packet.is_v4() ? Error{3, 4, mtu} : Error{2, 0, mtu};
  return write(packet, error, from, out);
}

std::size_t write_unreachable(const IpPacket& packet, const IpAddress& from, MutableBytes out) {
  const Error error = packet.is_v4() ? Error{3, 0} : Error{1, 0};
  return write(packet, error, from, out);
}

std::size_t write_wrong_source(const IpPacket& packet, const IpAddress& from, MutableBytes out) {
  const Error error = packet.is_v4() ? Error{3, 13} : Error{1, 5};
  return write(packet, error, from, out);
}

}  // namespace qdt::wire
