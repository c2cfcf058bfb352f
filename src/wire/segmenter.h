#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/drop.h"
#include "base/packet_batch.h"
#include "base/super_packet.h"

namespace qdt::wire {

/// Cuts super-packets into the packets that they stand for, as the kernel would (tcp_gso_segment,
/// __udp_gso_segment in Linux), with their checksums. Ordinary packets pass, with the checksum that
/// they may lack. Allocates nothing. One thread.
class Segmenter {
 public:
  /// Takes `super`, whose bytes stay valid until next() has said that nothing is left. Everything
  /// is checked here: a super-packet whose lengths or offsets lie is dropped whole.
  std::optional<Drop> begin(const SuperPacket& super);

  /// Appends as many packets as `out` has room for. Returns whether more are left: empty `out` and
  /// call again.
  bool next(PacketBatch& out);

 private:
  std::optional<Drop> begin_whole(const SuperPacket& super);
  void write_segment(MutableBytes packet, Bytes payload, bool is_last) const;

  MutableBytes bytes_;
  bool is_whole_ = true;  // one packet as it is
  bool is_done_ = true;

  bool is_tcp_ = false;
  std::size_t transport_start_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t segment_bytes_ = 0;
  std::uint16_t pseudo_header_sum_ = 0;  // without the length
  std::size_t index_ = 0;                // of the next segment
  std::size_t at_ = 0;                   // in bytes_, its payload
};

}  // namespace qdt::wire
