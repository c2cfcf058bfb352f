#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/packet_batch.h"
#include "base/super_packet.h"

namespace qdt::wire {

/// Joins the packets of a batch that follow each other in their flows into super-packets, by the
/// rules of the kernel's GRO (tcp_gro_receive, udp_gro_receive, inet_gro_receive in Linux): cut
/// again, they are the same packets byte for byte, but for an IPv4 identification that was constant
/// and comes out counted up where DF lets it mean nothing (RFC 6864). Only packets whose checksums
/// are right are joined, because the kernel will not look at them any more. A flow is never
/// reordered; what cannot be joined passes as it is. Nothing is kept from one batch to the next;
/// nothing is allocated. One thread.
class Coalescer {
 public:
  struct Options {
    bool joins_tcp = true;
    bool joins_udp = true;
  };

  explicit Coalescer(const Options& options) : options_(options) {}

  /// From the next join() on.
  void set_options(const Options& options) { options_ = options; }

  /// The pieces to write for `packets`, in the order of each one's first packet. The headers of
  /// first packets are rewritten in place. Valid as long as `packets`, until the next join().
  std::span<const GatheredPacket> join(const PacketBatch& packets);

 private:
  static constexpr std::size_t kMaxPackets = PacketBatch::kMaxPackets;
  /// Flows that can be joined at once; when there are more, the one that began first ends.
  static constexpr std::size_t kMaxOpen = 16;
  static constexpr std::uint8_t kNoPacket = 0xff;
  static_assert(kMaxPackets < kNoPacket);

  /// A packet, and what decides whether it may be joined with others.
  struct Candidate {
    MutableBytes bytes;
    std::uint64_t flow = 0;   // hash of addresses, ports and protocol
    std::uint64_t hosts = 0;  // hash of the addresses alone; 0: no packet
    bool has_flow = false;
    bool is_tcp = false;
    std::uint16_t start = 0;         // of the transport header
    std::uint16_t header_bytes = 0;  // up to the payload

    bool is_v4() const { return bytes[0] >> 4 == 4; }
    std::size_t payload_bytes() const { return bytes.size() - header_bytes; }
  };

  /// A super-packet in the making, or a packet that stays alone.
  struct Item {
    Candidate first;
    std::size_t bytes = 0;  // of the whole
    std::uint16_t packet_count = 1;
    std::uint16_t id_step = 0;     // IPv4: of the identification, known from the second packet on
    std::uint8_t last_flags = 0;   // TCP
    std::uint8_t last_packet = 0;  // index in the batch
    bool is_verified = false;      // the first packet's checksums
  };

  static Candidate inspect(MutableBytes packet);
  bool may_begin(const Candidate& packet) const;
  static bool extends(Item& item, const Candidate& packet);
  void add(std::uint8_t index, const Candidate& packet);
  void begin(std::uint8_t index, const Candidate& packet);
  void open(std::uint8_t item);
  void close(std::size_t position);
  static Offload finish(Item& item);

  Options options_;
  std::array<Item, kMaxPackets> items_;
  std::size_t item_count_ = 0;
  std::array<std::uint8_t, kMaxOpen> open_{};  // indices of items, oldest first
  std::size_t open_count_ = 0;
  std::array<std::uint8_t, kMaxPackets> first_packet_{};  // by item
  std::array<std::uint8_t, kMaxPackets> next_packet_{};   // by packet, in the same item
  std::array<Bytes, kMaxPackets> payloads_;
  std::array<GatheredPacket, kMaxPackets> gathered_;
};

}  // namespace qdt::wire
