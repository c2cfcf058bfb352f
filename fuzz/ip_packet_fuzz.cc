// Inner packets: headers, and the ICMP error about them.

#include "wire/ip_packet.h"

#include <array>
#include <cstdlib>

#include "wire/icmp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const auto packet = wire::parse_ip_packet({data, size});
  if (!packet) return 0;
  static std::array<std::uint8_t, wire::kMaxIcmpErrorBytes> out;
  const IpAddress from = packet->is_v4() ? IpAddress::v4(0x0a080001) : *IpAddress::parse("fd00::1");
  const std::size_t bytes = wire::write_too_big(*packet, 1280, from, out);
  if (bytes > 0 && !wire::parse_ip_packet(Bytes(out).first(bytes))) std::abort();
  return 0;
}
