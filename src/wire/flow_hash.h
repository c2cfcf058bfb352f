#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "wire/ip_packet.h"

namespace qdt::wire {

/// A hash that depends on every bit of both.
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

/// The hash of both addresses of a packet.
std::uint64_t host_hash(const IpPacket& packet);

/// The same for all packets of a flow: both addresses, the protocol, and the ports of TCP and UDP.
/// Fragments go by their addresses, all alike, for only the first has ports.
std::uint64_t flow_hash(const IpPacket& packet);

}  // namespace qdt::wire
