#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "os/tun_device.h"
#include "os/udp_socket.h"

namespace qdt::os {

// The kernel brings each arrival to the shard that owns it (docs/architecture.md, "Shards share
// nothing"). A host may refuse: then the error says why, and arrivals of one flow still come to one
// place, in order. What is attached is freed with the group of sockets, or the device.

/// From now on a payload arrives at socket number `first byte of its destination connection ID %
/// shard_count` of the sockets that share `socket`'s port, counted in the order of their opening.
/// No capability needed (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5). A burst that the kernel has joined
/// goes where its first payload belongs. Refused: the kernel chooses by a hash of both addresses.
Result<void> steer_payloads(const UdpSocket& socket, std::size_t shard_count);

/// From now on a packet arrives at queue number `destination address % queues.size()` of the device
/// whose queues these are, all of them; of an IPv6 address, the last four bytes plus
/// `ipv6_difference` count, modulo 2^32. Needs
/// CAP_BPF beside CAP_NET_ADMIN (TUNSETSTEERINGEBPF, Linux 4.16; CAP_SYS_ADMIN before 5.8).
/// `loaded`, as in TunDevice::Options, needs none of that. Refused: every packet arrives at the
/// first queue, and the others can only be written to.
Result<void> steer_packets(std::span<const TunQueue> queues, std::uint32_t ipv6_difference,
                           const TunPrograms* loaded = nullptr);

}  // namespace qdt::os
