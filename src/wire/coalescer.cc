#include "wire/coalescer.h"

#include <algorithm>
#include <cstring>

#include "wire/checksum.h"
#include "wire/flow_hash.h"
#include "wire/ip_packet.h"
#include "wire/transport.h"

namespace qdt::wire {
namespace {

// The kernel takes no more UDP packets in one (UDP_MAX_SEGMENTS before Linux 6.9).
constexpr std::size_t kMaxUdpPackets = 64;

constexpr std::uint16_t kDontFragment = 0x4000;

// With timestamps.
constexpr std::size_t kUsualTcpBytes = kTcpHeaderBytes + 12;

bool is_same(Bytes a, Bytes b, std::size_t from, std::size_t to) {
  return std::memcmp(a.data() + from, b.data() + from, to - from) == 0;
}

// The same where the compiler knows how many, which takes an instruction or two instead of a call.
template <std::size_t kFrom, std::size_t kTo>
bool is_same(Bytes a, Bytes b) {
  return std::memcmp(a.data() + kFrom, b.data() + kFrom, kTo - kFrom) == 0;
}

std::uint16_t identification(Bytes packet) {
  return load_be<std::uint16_t>(&packet[4]);
}

std::uint32_t sequence(Bytes tcp) {
  return load_be<std::uint32_t>(&tcp[4]);
}

bool has_valid_checksums(Bytes packet, bool is_tcp, std::size_t start) {
  const bool is_v4 = packet[0] >> 4 == 4;
  const std::size_t ip_header_bytes = std::size_t{4} * (packet[0] & 0x0f);
  if (is_v4 && Checksum().add(packet.first(ip_header_bytes)).finish() != 0) return false;
  const Bytes transport = packet.subspan(start);
  const std::uint16_t pseudo = pseudo_header(packet, is_tcp, transport.size()).sum();
  return Checksum().add(pseudo).add(transport).finish() == 0;
}

// All that packets of one super-packet have in common before the transport header. The IPv4
// identification is looked at separately; lengths and checksums differ.
bool has_same_ip_header(Bytes a, Bytes b, bool is_v4, std::size_t start) {
  if (!is_v4) {
    return is_same<0, 4>(a, b) && is_same<6, kIpv6HeaderBytes>(a, b) &&
           is_same(a, b, kIpv6HeaderBytes, start);
  }
  return is_same<0, 2>(a, b) && is_same<6, 10>(a, b) && is_same<12, kIpv4HeaderBytes>(a, b) &&
         (start == kIpv4HeaderBytes || is_same(a, b, kIpv4HeaderBytes, start));
}

// Ports, acknowledgement, window, urgent pointer, options; and flags but for those that only the
// first (CWR) or the last (FIN, PSH) carries.
bool has_same_tcp_header(Bytes a, Bytes b, std::size_t header_bytes) {
  const auto common_flags = [](Bytes tcp, std::uint8_t not_counted) {
    return tcp[kTcpFlags] & static_cast<std::uint8_t>(~not_counted);
  };
  return is_same<0, 4>(a, b) && is_same<8, 13>(a, b) && is_same<14, 16>(a, b) &&
         is_same<18, kTcpHeaderBytes>(a, b) &&
         (header_bytes == kUsualTcpBytes ? is_same<kTcpHeaderBytes, kUsualTcpBytes>(a, b)
                                         : is_same(a, b, kTcpHeaderBytes, header_bytes)) &&
         common_flags(a, kTcpCwr) == common_flags(b, kTcpFin | kTcpPsh);
}

}  // namespace

std::span<const GatheredPacket> Coalescer::join(const PacketBatch& packets) {
  item_count_ = open_count_ = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    add(static_cast<std::uint8_t>(i), inspect(packets[i]));
  }

  std::size_t payload_count = 0;
  for (std::size_t i = 0; i < item_count_; ++i) {
    const std::size_t begin = payload_count;
    for (std::uint8_t at = next_packet_[first_packet_[i]]; at != kNoPacket; at = next_packet_[at]) {
      payloads_[payload_count++] = packets[at].subspan(items_[i].first.header_bytes);
    }
    const Offload offload = finish(items_[i]);
    gathered_[i] = {.first = items_[i].first.bytes,
                    .payloads = std::span(payloads_).subspan(begin, payload_count - begin),
                    .offload = offload};
  }
  return std::span(gathered_).first(item_count_);
}

Coalescer::Candidate Coalescer::inspect(MutableBytes packet) {
  Candidate candidate{.bytes = packet};
  const auto ip = parse_ip_packet(packet);
  if (!ip) return candidate;
  candidate.hosts = host_hash(*ip);
  const auto transport = find_transport(*ip);
  if (!transport) return candidate;
  candidate.has_flow = true;
  candidate.is_tcp = transport->is_tcp;
  candidate.start = static_cast<std::uint16_t>(transport->start);
  candidate.header_bytes = static_cast<std::uint16_t>(transport->header_bytes);
  const std::uint64_t ports = load_be<std::uint32_t>(&packet[transport->start]);
  candidate.flow = mix(candidate.hosts, ports << 1 | (candidate.is_tcp ? 1 : 0));
  return candidate;
}

// Whether others may follow `packet` in a super-packet.
bool Coalescer::may_begin(const Candidate& packet) const {
  if (!packet.has_flow || packet.payload_bytes() == 0) return false;
  const Bytes transport = packet.bytes.subspan(packet.start);
  const bool has_odd_flags =
      packet.is_v4() && (load_be<std::uint16_t>(&packet.bytes[6]) & ~kDontFragment) != 0;
  if (has_odd_flags) return false;
  if (!packet.is_tcp) {
    return options_.joins_udp && load_be<std::uint16_t>(&transport[kUdpChecksum]) != 0;
  }
  constexpr std::uint8_t kEce = 0x40;
  const auto flags = transport[kTcpFlags] & static_cast<std::uint8_t>(~(kTcpCwr | kEce));
  return options_.joins_tcp && flags == kTcpAck;
}

// Whether `packet`, of the same flow, is what the kernel would make of the next bytes of `item`.
bool Coalescer::extends(Item& item, const Candidate& packet) {
  const Candidate& first = item.first;
  const std::size_t payload_bytes = packet.payload_bytes();
  const bool has_place = payload_bytes > 0 && payload_bytes <= first.payload_bytes() &&
                         item.bytes + payload_bytes <= kMaxPacketBytes &&
                         (first.is_tcp || item.packet_count < kMaxUdpPackets);
  if (!has_place || packet.is_tcp != first.is_tcp || packet.is_v4() != first.is_v4() ||
      packet.start != first.start || packet.header_bytes != first.header_bytes) {
    return false;
  }
  if (!has_same_ip_header(first.bytes, packet.bytes, first.is_v4(), first.start)) return false;

  std::uint16_t id_step = item.id_step;
  if (first.is_v4()) {
    // Counting up; or, where it means nothing because of DF (RFC 6864), always the same.
    const auto advance =
        static_cast<std::uint16_t>(identification(packet.bytes) - identification(first.bytes));
    const bool has_df = (load_be<std::uint16_t>(&first.bytes[6]) & kDontFragment) != 0;
    if (item.packet_count == 1) id_step = advance;
    if (id_step > 1 || (id_step == 0 && !has_df) || advance != id_step * item.packet_count) {
      return false;
    }
  }

  const Bytes first_transport = first.bytes.subspan(first.start);
  const Bytes transport = packet.bytes.subspan(packet.start);
  if (first.is_tcp) {
    const auto expected =
        static_cast<std::uint32_t>(sequence(first_transport) + item.bytes - first.header_bytes);
    const std::size_t header_bytes = first.header_bytes - first.start;
    if (sequence(transport) != expected) return false;
    if (!has_same_tcp_header(first_transport, transport, header_bytes)) return false;
  } else if (!is_same<0, 4>(first_transport, transport) ||
             load_be<std::uint16_t>(&transport[kUdpChecksum]) == 0) {
    return false;
  }

  // At last, because it reads every byte. Packets that stay alone are not read at all.
  if (!item.is_verified && !has_valid_checksums(first.bytes, first.is_tcp, first.start)) {
    return false;
  }
  item.is_verified = true;
  if (!has_valid_checksums(packet.bytes, packet.is_tcp, packet.start)) return false;
  item.id_step = id_step;
  return true;
}

void Coalescer::add(std::uint8_t index, const Candidate& packet) {
  next_packet_[index] = kNoPacket;
  for (std::size_t position = 0; position < open_count_;) {
    Item& item = items_[open_[position]];
    if (!packet.has_flow) {
      // Perhaps a fragment of one of these: nothing that comes later may go before it.
      if (packet.hosts == 0 || packet.hosts == item.first.hosts) {
        close(position);
      } else {
        ++position;
      }
      continue;
    }
    if (item.first.flow != packet.flow) {
      ++position;
      continue;
    }
    if (!extends(item, packet)) {
      close(position);
      break;
    }
    next_packet_[item.last_packet] = index;
    item.last_packet = index;
    item.bytes += packet.payload_bytes();
    ++item.packet_count;
    item.last_flags = packet.is_tcp ? packet.bytes[packet.start + kTcpFlags] : std::uint8_t{0};
    const bool is_last = packet.payload_bytes() < item.first.payload_bytes() ||
                         (item.last_flags & (kTcpFin | kTcpPsh)) != 0;
    if (is_last) close(position);
    return;
  }
  begin(index, packet);
}

void Coalescer::begin(std::uint8_t index, const Candidate& packet) {
  const auto item = static_cast<std::uint8_t>(item_count_++);
  items_[item] = {.first = packet, .bytes = packet.bytes.size(), .last_packet = index};
  first_packet_[item] = index;
  if (may_begin(packet)) open(item);
}

void Coalescer::open(std::uint8_t item) {
  if (open_count_ == kMaxOpen) close(0);
  open_[open_count_++] = item;
}

void Coalescer::close(std::size_t position) {
  std::copy(open_.begin() + position + 1, open_.begin() + open_count_, open_.begin() + position);
  --open_count_;
}

// Makes the first packet's headers those of the whole.
Offload Coalescer::finish(Item& item) {
  if (item.packet_count == 1) return {};
  const Candidate& first = item.first;
  const std::size_t transport_bytes = item.bytes - first.start;
  const MutableBytes transport = first.bytes.subspan(first.start);
  const auto segment_bytes = static_cast<std::uint16_t>(first.payload_bytes());

  finish_ip_header(first.bytes, item.bytes);
  if (first.is_tcp) {
    transport[kTcpFlags] |= item.last_flags;
  } else {
    store_be<std::uint16_t>(&transport[kUdpLength], static_cast<std::uint16_t>(transport_bytes));
  }
  const std::size_t checksum_offset = first.is_tcp ? kTcpChecksum : kUdpChecksum;
  store_be<std::uint16_t>(&transport[checksum_offset],
                          pseudo_header(first.bytes, first.is_tcp, transport_bytes).sum());

  const auto tcp_kind = first.is_v4() ? Offload::Kind::kTcp4 : Offload::Kind::kTcp6;
  return {.kind = first.is_tcp ? tcp_kind : Offload::Kind::kUdp,
          .needs_checksum = true,
          .has_cwr = first.is_tcp && (transport[kTcpFlags] & kTcpCwr) != 0,
          .segment_bytes = segment_bytes,
          .header_bytes = first.header_bytes,
          .checksum_start = first.start,
          .checksum_offset = static_cast<std::uint16_t>(checksum_offset)};
}

}  // namespace qdt::wire
