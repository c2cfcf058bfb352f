// A packet with any TCP options: clamping its MSS changes at most that and the checksum, which
// stays as right or as wrong as it was.

#include "wire/tcp_mss.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "wire/transport.h"

namespace {

std::uint16_t sum_of(qdt::Bytes packet, const qdt::wire::Transport& transport) {
  const qdt::Bytes segment = packet.subspan(transport.start);
  return qdt::wire::pseudo_header(packet, true, segment.size()).add(segment).sum() % 0xffff;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  if (size < 2) return 0;
  const std::size_t mtu = load_be<std::uint16_t>(data);
  std::vector<std::uint8_t> packet(data + 2, data + size);
  const auto ip = wire::parse_ip_packet(packet);
  if (!ip || !wire::opens_tcp(*ip)) return 0;
  const auto before = packet;
  const bool was_lowered = wire::clamp_mss(packet, *ip, mtu);
  const auto changed = std::ranges::mismatch(before, packet).in1 != before.end();
  if (changed != was_lowered) std::abort();
  if (!was_lowered) return 0;
  const auto transport = wire::find_transport(*ip);
  if (!transport || sum_of(before, *transport) != sum_of(packet, *transport)) std::abort();
  std::size_t differences = 0;
  for (std::size_t i = 0; i < packet.size(); ++i) differences += before[i] != packet[i] ? 1 : 0;
  if (differences > 4 || wire::clamp_mss(packet, *wire::parse_ip_packet(packet), mtu)) std::abort();
  return 0;
}
