#include "wire/segmenter.h"

#include <algorithm>

#include "wire/checksum.h"
#include "wire/ip_packet.h"
#include "wire/transport.h"

namespace qdt::wire {
namespace {

bool is_of_kind(const IpPacket& ip, const Transport& transport, Offload::Kind kind) {
  switch (kind) {
    case Offload::Kind::kTcp4: return transport.is_tcp && ip.is_v4();
    case Offload::Kind::kTcp6: return transport.is_tcp && !ip.is_v4();
    case Offload::Kind::kUdp: return !transport.is_tcp;
    default: return false;
  }
}

}  // namespace

std::optional<Drop> Segmenter::begin(const SuperPacket& super) {
  is_done_ = true;
  bytes_ = super.bytes;
  const Offload& offload = super.offload;
  if (offload.kind == Offload::Kind::kNone) return begin_whole(super);

  // A super-packet's checksums are never complete: it was made to be cut.
  if (offload.segment_bytes == 0 || !offload.needs_checksum) return Drop::kMalformed;
  const auto ip = parse_ip_packet(bytes_);
  if (!ip) return Drop::kMalformed;
  const auto transport = find_transport(*ip);
  if (!transport || !is_of_kind(*ip, *transport, offload.kind)) return Drop::kMalformed;
  if (offload.checksum_start != transport->start ||
      offload.checksum_offset != transport->checksum_offset()) {
    return Drop::kMalformed;
  }

  is_done_ = is_whole_ = false;
  is_tcp_ = transport->is_tcp;
  transport_start_ = transport->start;
  header_bytes_ = transport->header_bytes;
  segment_bytes_ = offload.segment_bytes;
  pseudo_header_sum_ = pseudo_header(bytes_, is_tcp_, 0).sum();
  index_ = 0;
  at_ = header_bytes_;
  return std::nullopt;
}

std::optional<Drop> Segmenter::begin_whole(const SuperPacket& super) {
  const Offload& offload = super.offload;
  if (offload.needs_checksum) {
    const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
    const auto ip = parse_ip_packet(bytes_);
    if (!ip || offload.checksum_start < ip->header_bytes || field + 2 > bytes_.size()) {
      return Drop::kMalformed;
    }
    // The field holds the pseudo-header's sum. 0 would mean "none" to UDP, and to all other
    // protocols is the same as its complement.
    const std::uint16_t checksum = Checksum().add(bytes_.subspan(offload.checksum_start)).finish();
    store_be<std::uint16_t>(&bytes_[field], checksum == 0 ? 0xffff : checksum);
  }
  is_done_ = false;
  is_whole_ = true;
  return std::nullopt;
}

bool Segmenter::next(PacketBatch& out) {
  if (is_done_) return false;
  if (is_whole_) {
    if (!out.has_room(bytes_.size())) return true;
    out.push(bytes_);
    is_done_ = true;
    return false;
  }
  do {
    const Bytes payload = bytes_.subspan(at_, std::min(segment_bytes_, bytes_.size() - at_));
    const std::size_t bytes = header_bytes_ + payload.size();
    if (!out.has_room(bytes)) return true;
    at_ += payload.size();
    is_done_ = at_ == bytes_.size();
    write_segment(out.reserve(bytes), payload, is_done_);
    out.commit(bytes);
    ++index_;
  } while (!is_done_);
  return false;
}

// The super-packet's headers with what differs from packet to packet, and `payload`.
void Segmenter::write_segment(MutableBytes packet, Bytes payload, bool is_last) const {
  Checksum checksum;
  checksum.add_copying(payload, append(packet, bytes_.first(header_bytes_)));
  const bool is_v4 = packet[0] >> 4 == 4;
  if (is_v4) {
    const std::size_t id = load_be<std::uint16_t>(&packet[4]) + index_;
    store_be<std::uint16_t>(&packet[4], static_cast<std::uint16_t>(id));
  }
  finish_ip_header(packet, packet.size());

  const MutableBytes transport = packet.subspan(transport_start_);
  if (is_tcp_) {
    const std::size_t sequence = load_be<std::uint32_t>(&transport[4]) + index_ * segment_bytes_;
    store_be<std::uint32_t>(&transport[4], static_cast<std::uint32_t>(sequence));
    if (!is_last) transport[kTcpFlags] &= static_cast<std::uint8_t>(~(kTcpFin | kTcpPsh));
    if (index_ > 0) transport[kTcpFlags] &= static_cast<std::uint8_t>(~kTcpCwr);
  } else {
    store_be<std::uint16_t>(&transport[kUdpLength], static_cast<std::uint16_t>(transport.size()));
  }

  std::uint8_t* const field = &transport[is_tcp_ ? kTcpChecksum : kUdpChecksum];
  store_be<std::uint16_t>(field, 0);
  checksum.add(pseudo_header_sum_)
      .add(static_cast<std::uint16_t>(transport.size()))
      .add(transport.first(header_bytes_ - transport_start_));
  const std::uint16_t value = checksum.finish();
  // 0 means "none" to UDP.
  store_be<std::uint16_t>(field, !is_tcp_ && value == 0 ? 0xffff : value);
}

}  // namespace qdt::wire
