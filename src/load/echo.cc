#include "load/echo.h"

#include <algorithm>

#include "wire/checksum.h"
#include "wire/ip_packet.h"

namespace qdt::load {
namespace {

constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::size_t kIcmpHeaderBytes = 8;

}  // namespace

void write_echo_request(const Echo& echo, MutableBytes packet) {
  std::ranges::fill(packet, std::uint8_t{0});
  packet[0] = 0x45;
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(packet.size()));
  packet[8] = 64;
  packet[9] = wire::kProtocolIcmp;
  append(packet.subspan(12), echo.source.bytes());
  append(packet.subspan(16), echo.destination.bytes());
  const MutableBytes header = packet.first(wire::kIpv4HeaderBytes);
  store_be<std::uint16_t>(&packet[10], wire::Checksum().add(header).finish());

  const MutableBytes icmp = packet.subspan(wire::kIpv4HeaderBytes);
  icmp[0] = kEchoRequest;
  store_be<std::uint16_t>(&icmp[4], echo.id);
  store_be<std::uint16_t>(&icmp[6], echo.sequence);
  store_be<std::uint64_t>(&icmp[kIcmpHeaderBytes],
                          static_cast<std::uint64_t>(echo.sent.time_since_epoch().count()));
  store_be<std::uint16_t>(&icmp[2], wire::Checksum().add(icmp).finish());
}

std::optional<Echo> parse_echo_reply(Bytes packet) {
  const auto ip = wire::parse_ip_packet(packet);
  if (!ip || !ip->is_v4() || ip->protocol != wire::kProtocolIcmp || ip->is_later_fragment) {
    return std::nullopt;
  }
  const Bytes icmp = ip->payload();
  if (icmp.size() < kIcmpHeaderBytes + sizeof(std::uint64_t) || icmp[0] != kEchoReply) {
    return std::nullopt;
  }
  const auto nanoseconds = load_be<std::uint64_t>(&icmp[kIcmpHeaderBytes]);
  return Echo{.source = ip->source,
              .destination = ip->destination,
              .id = load_be<std::uint16_t>(&icmp[4]),
              .sequence = load_be<std::uint16_t>(&icmp[6]),
              .sent = Timestamp(Duration(static_cast<Duration::rep>(nanoseconds)))};
}

}  // namespace qdt::load
