#include "wire/flow_hash.h"

#include "wire/transport.h"

namespace qdt::wire {

std::uint64_t host_hash(const IpPacket& packet) {
  std::uint64_t hash = 0;
  const Bytes addresses =
      packet.is_v4() ? packet.bytes.subspan(12, 8) : packet.bytes.subspan(8, 32);
  for (std::size_t i = 0; i < addresses.size(); i += 8) {
    hash = mix(hash, load_be<std::uint64_t>(&addresses[i]));
  }
  return hash;
}

std::uint64_t flow_hash(const IpPacket& packet) {
  const std::uint64_t hosts = mix(host_hash(packet), packet.protocol);
  const auto transport = find_transport(packet);
  if (!transport) return hosts;
  return mix(hosts, load_be<std::uint32_t>(&packet.bytes[transport->start]));
}

}  // namespace qdt::wire
