#include "wire/transport.h"

namespace qdt::wire {
namespace {

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kDestinationOptions = 60;

std::optional<Header> find_upper(const IpPacket& ip) {
  const Header first{ip.protocol, ip.header_bytes};
  if (!ip.is_v4()) return skip_options(ip, first);
  const bool is_fragment = (load_be<std::uint16_t>(&ip.bytes[6]) & 0x3fff) != 0;
  if (is_fragment) return std::nullopt;
  return first;
}

}  // namespace

std::optional<Header> skip_options(const IpPacket& ip, Header from) {
  Header header = from;
  for (;;) {
    const bool is_extension = header.protocol == kHopByHop || header.protocol == kRouting ||
                              header.protocol == kDestinationOptions;
    if (!is_extension) return header;
    const Bytes rest = ip.bytes.subspan(header.start);
    if (rest.size() < 8) return std::nullopt;
    const std::size_t bytes = std::size_t{8} * (rest[1] + 1);
    if (rest.size() < bytes) return std::nullopt;
    const bool is_on_its_way = header.protocol == kRouting && rest[3] != 0;
    if (is_on_its_way) return std::nullopt;
    header = {rest[0], header.start + bytes};
  }
}

std::optional<Transport> find_transport(const IpPacket& ip) {
  const auto upper = find_upper(ip);
  if (!upper) return std::nullopt;
  const Bytes rest = ip.bytes.subspan(upper->start);
  if (upper->protocol == kProtocolUdp) {
    if (rest.size() < kUdpHeaderBytes) return std::nullopt;
    if (load_be<std::uint16_t>(&rest[kUdpLength]) != rest.size()) return std::nullopt;
    return Transport{false, upper->start, upper->start + kUdpHeaderBytes};
  }
  if (upper->protocol != kProtocolTcp || rest.size() < kTcpHeaderBytes) return std::nullopt;
  const std::size_t header_bytes = std::size_t{4} * (rest[12] >> 4);
  if (header_bytes < kTcpHeaderBytes || header_bytes > rest.size()) return std::nullopt;
  return Transport{true, upper->start, upper->start + header_bytes};
}

Checksum pseudo_header(Bytes packet, bool is_tcp, std::size_t transport_bytes) {
  const bool is_v4 = packet[0] >> 4 == 4;
  return Checksum()
      .add(is_v4 ? packet.subspan(12, 8) : packet.subspan(8, 32))
      .add(is_tcp ? kProtocolTcp : kProtocolUdp)
      .add(static_cast<std::uint16_t>(transport_bytes));
}

void finish_ip_header(MutableBytes packet, std::size_t packet_bytes) {
  const bool is_v4 = packet[0] >> 4 == 4;
  if (!is_v4) {
    store_be<std::uint16_t>(&packet[4],
                            static_cast<std::uint16_t>(packet_bytes - kIpv6HeaderBytes));
    return;
  }
  const std::size_t header_bytes = std::size_t{4} * (packet[0] & 0x0f);
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(packet_bytes));
  store_be<std::uint16_t>(&packet[10], 0);
  store_be<std::uint16_t>(&packet[10], Checksum().add(packet.first(header_bytes)).finish());
}

}  // namespace qdt::wire
