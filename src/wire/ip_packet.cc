#include "wire/ip_packet.h"

namespace qdt::wire {
namespace {

std::optional<IpPacket> parse_v4(Bytes bytes) {
  if (bytes.size() < kIpv4HeaderBytes) return std::nullopt;
  const std::size_t header_bytes = std::size_t{4} * (bytes[0] & 0x0f);
  const std::size_t total_bytes = load_be<std::uint16_t>(&bytes[2]);
  if (header_bytes < kIpv4HeaderBytes || header_bytes > total_bytes) return std::nullopt;
  if (total_bytes != bytes.size()) return std::nullopt;

  const std::uint16_t fragment = load_be<std::uint16_t>(&bytes[6]);
  return IpPacket{.bytes = bytes,
                  .source = IpAddress::v4(bytes.subspan<12, 4>()),
                  .destination = IpAddress::v4(bytes.subspan<16, 4>()),
                  .header_bytes = header_bytes,
                  .protocol = bytes[9],
                  .dont_fragment = (fragment & 0x4000) != 0,
                  .is_later_fragment = (fragment & 0x1fff) != 0};
}

std::optional<IpPacket> parse_v6(Bytes bytes) {
  if (bytes.size() < kIpv6HeaderBytes) return std::nullopt;
  if (load_be<std::uint16_t>(&bytes[4]) + kIpv6HeaderBytes != bytes.size()) return std::nullopt;

  const IpAddress source = IpAddress::v6(bytes.subspan<8, 16>());
  const IpAddress destination = IpAddress::v6(bytes.subspan<24, 16>());
  // IPv4-mapped addresses are for sockets, not for packets: they would pass for IPv4 ones.
  if (source.is_v4() || destination.is_v4()) return std::nullopt;
  return IpPacket{.bytes = bytes,
                  .source = source,
                  .destination = destination,
                  .header_bytes = kIpv6HeaderBytes,
                  .protocol = bytes[6],
                  .dont_fragment = true,
                  .is_later_fragment = false};
}

}  // namespace

std::optional<IpPacket> parse_ip_packet(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  switch (bytes[0] >> 4) {
    case 4: return parse_v4(bytes);
    case 6: return parse_v6(bytes);
    default: return std::nullopt;
  }
}

}  // namespace qdt::wire
