#pragma once

// For tests only: TCP and UDP packets of every shape, and what makes one valid, written once more
// from the RFCs and as plainly as can be.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "base/packet_batch.h"
#include "base/super_packet.h"
#include "wire/segmenter.h"

namespace qdt::wire {

using Packet = std::vector<std::uint8_t>;

struct PacketShape {
  bool is_tcp = true;
  bool is_v6 = false;
  std::size_t ip_option_bytes = 0;   ///< a multiple of 4; of 8 with IPv6, an extension header
  std::size_t tcp_option_bytes = 0;  ///< a multiple of 4
  std::uint8_t tcp_flags = 0x10;
  bool has_df = true;
  std::uint16_t id = 100;
  std::uint32_t sequence = 1000;
  std::uint16_t source_port = 4000;
  std::size_t payload_bytes = 100;

  std::size_t start() const { return (is_v6 ? 40 : 20) + ip_option_bytes; }
  std::size_t header_bytes() const { return start() + (is_tcp ? 20 + tcp_option_bytes : 8); }
};

// One byte after the other, RFC 1071 section 4.1.
inline std::uint16_t plain_sum(Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

inline std::uint16_t plain_pseudo_header_sum(Bytes packet, std::uint8_t protocol,
                                             std::size_t bytes) {
  const bool is_v6 = packet[0] >> 4 == 6;
  const Bytes addresses = is_v6 ? packet.subspan(8, 32) : packet.subspan(12, 8);
  const Packet rest = {0, protocol, static_cast<std::uint8_t>(bytes >> 8),
                       static_cast<std::uint8_t>(bytes)};
  return plain_sum(rest, plain_sum(addresses));
}

/// Lengths and checksums, of a packet that comes from make_packet() or is like one.
inline bool is_valid(Bytes packet) {
  const bool is_v6 = packet[0] >> 4 == 6;
  std::uint8_t protocol = is_v6 ? packet[6] : packet[9];
  std::size_t start = is_v6 ? 40 : std::size_t{4} * (packet[0] % 16);
  if (is_v6 && packet[4] * 256u + packet[5] + 40 != packet.size()) return false;
  if (!is_v6 && packet[2] * 256u + packet[3] != packet.size()) return false;
  if (!is_v6 && plain_sum(packet.first(start)) != 0xffff) return false;
  while (is_v6 && (protocol == 0 || protocol == 60)) {
    protocol = packet[start];
    start += 8 + std::size_t{8} * packet[start + 1];
  }
  const Bytes transport = packet.subspan(start);
  if (protocol == 17 && transport[4] * 256u + transport[5] != transport.size()) return false;
  if (protocol == 17 && transport[6] == 0 && transport[7] == 0) return false;
  const std::uint16_t sum = plain_pseudo_header_sum(packet, protocol, transport.size());
  return plain_sum(transport, sum) == 0xffff;
}

inline void store16(Packet& packet, std::size_t at, std::size_t value) {
  packet[at] = static_cast<std::uint8_t>(value >> 8);
  packet[at + 1] = static_cast<std::uint8_t>(value);
}

/// A packet whose transport checksum is the pseudo-header's sum: one to be finished, or cut.
inline Packet make_unfinished(const PacketShape& shape, std::mt19937_64& random) {
  const std::size_t start = shape.start();
  const std::uint8_t protocol = shape.is_tcp ? 6 : 17;
  Packet packet(shape.header_bytes() + shape.payload_bytes);
  std::ranges::generate(packet, [&] { return static_cast<std::uint8_t>(random()); });

  if (shape.is_v6) {
    packet[0] = 0x60;
    store16(packet, 4, packet.size() - 40);
    packet[6] = shape.ip_option_bytes > 0 ? 60 : protocol;
    if (shape.ip_option_bytes > 0) {
      packet[40] = protocol;
      packet[41] = static_cast<std::uint8_t>(shape.ip_option_bytes / 8 - 1);
    }
  } else {
    packet[0] = static_cast<std::uint8_t>(0x40 + start / 4);
    store16(packet, 2, packet.size());
    store16(packet, 4, shape.id);
    store16(packet, 6, shape.has_df ? 0x4000 : 0);
    packet[9] = protocol;
    store16(packet, 10, 0);
    store16(packet, 10, 0xffff ^ plain_sum(Bytes(packet).first(start)));
  }

  store16(packet, start, shape.source_port);
  const std::size_t transport_bytes = packet.size() - start;
  if (shape.is_tcp) {
    store16(packet, start + 4, shape.sequence >> 16);
    store16(packet, start + 6, shape.sequence);
    packet[start + 12] = static_cast<std::uint8_t>((20 + shape.tcp_option_bytes) * 4);
    packet[start + 13] = shape.tcp_flags;
  } else {
    store16(packet, start + 4, transport_bytes);
  }
  store16(packet, start + (shape.is_tcp ? 16 : 6),
          plain_pseudo_header_sum(packet, protocol, transport_bytes));
  return packet;
}

inline void finish_checksum(Packet& packet, const PacketShape& shape) {
  const std::size_t field = shape.start() + (shape.is_tcp ? 16 : 6);
  const std::size_t checksum = 0xffff ^ plain_sum(Bytes(packet).subspan(shape.start()));
  store16(packet, field, checksum == 0 && !shape.is_tcp ? 0xffff : checksum);
}

/// A complete, valid packet.
inline Packet make_packet(const PacketShape& shape, std::mt19937_64& random) {
  Packet packet = make_unfinished(shape, random);
  finish_checksum(packet, shape);
  return packet;
}

inline Offload offload_of(const PacketShape& shape, std::size_t segment_bytes) {
  const auto tcp = shape.is_v6 ? Offload::Kind::kTcp6 : Offload::Kind::kTcp4;
  return {.kind = shape.is_tcp ? tcp : Offload::Kind::kUdp,
          .needs_checksum = true,
          .has_cwr = shape.is_tcp && (shape.tcp_flags & 0x80) != 0,
          .segment_bytes = static_cast<std::uint16_t>(segment_bytes),
          .header_bytes = static_cast<std::uint16_t>(shape.header_bytes()),
          .checksum_start = static_cast<std::uint16_t>(shape.start()),
          .checksum_offset = static_cast<std::uint16_t>(shape.is_tcp ? 16 : 6)};
}

/// All that `super` is cut into.
inline std::vector<Packet> cut(Packet super, const Offload& offload) {
  Segmenter segmenter;
  const auto drop = segmenter.begin({super, offload});
  EXPECT_FALSE(drop) << drop_label(drop.value_or(Drop::kCount));
  std::vector<Packet> packets;
  PacketBatch batch;
  for (bool is_more = !drop; is_more;) {
    is_more = segmenter.next(batch);
    for (const Bytes packet : batch) packets.emplace_back(packet.begin(), packet.end());
    batch.clear();
  }
  return packets;
}

/// A shape that packets of one super-packet can have.
inline PacketShape random_shape(std::mt19937_64& random) {
  PacketShape shape;
  shape.is_tcp = random() % 2 == 0;
  shape.is_v6 = random() % 2 == 0;
  if (random() % 3 == 0)
    shape.ip_option_bytes = shape.is_v6 ? 8 * (1 + random() % 4) : 4 * (random() % 11);
  shape.tcp_option_bytes = shape.is_tcp ? 4 * (random() % 11) : 0;
  constexpr std::uint8_t kFlags[] = {0x10, 0x18, 0x11, 0x19, 0x90, 0x50, 0xd8};
  shape.tcp_flags = kFlags[random() % std::size(kFlags)];
  shape.has_df = random() % 2 == 0;
  shape.id = static_cast<std::uint16_t>(random());
  shape.sequence = static_cast<std::uint32_t>(random());
  shape.source_port = static_cast<std::uint16_t>(random());
  return shape;
}

}  // namespace qdt::wire
