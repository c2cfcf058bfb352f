#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace qdt {

/// The work that is left to be done on the bytes of a SuperPacket or GatheredPacket before they are
/// packets for the network: the virtio network header in our words (virtio 1.2, section 5.1.6).
/// Nothing here has been checked against the bytes.
struct Offload {
  enum class Kind : std::uint8_t {
    kNone,     ///< one packet as it is
    kTcp4,     ///< TCP over IPv4, to be cut
    kTcp6,     ///< TCP over IPv6, to be cut
    kUdp,      ///< UDP over either, to be cut
    kUnknown,  ///< something that nobody asked for
  };

  Kind kind = Kind::kNone;
  /// The checksum field holds the sum over the pseudo-header alone; the sum over everything from
  /// checksum_start is to be added to it.
  bool needs_checksum = false;
  /// TCP's CWR flag is set: it belongs to the first packet only.
  bool has_cwr = false;
  std::uint16_t segment_bytes = 0;    ///< payload of each packet but the last
  std::uint16_t header_bytes = 0;     ///< IP and transport headers; a hint when it was read
  std::uint16_t checksum_start = 0;   ///< from the start of the packet: the transport header
  std::uint16_t checksum_offset = 0;  ///< from there: its checksum field

  bool operator==(const Offload&) const = default;
};

/// A packet of at most 64 KiB that stands for several of one flow, which have its headers in
/// common: one crossing of the kernel's border in place of dozens. Also an ordinary packet.
struct SuperPacket {
  MutableBytes bytes;
  Offload offload;
};

/// A super-packet in pieces, so that packets are joined without copying: the first one with its
/// headers, then the payloads of those that follow.
struct GatheredPacket {
  Bytes first;
  std::span<const Bytes> payloads;
  Offload offload;

  std::size_t packet_count() const { return 1 + payloads.size(); }
};

}  // namespace qdt
