#pragma once

#include <cstdint>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "quic/connection_id.h"

namespace qdt::quic {

/// Tells first packets that come again from those that come once. A client repeats its first packet
/// until it is answered, with the same ID from the same port, 0.3 s (ours) or 1 s later (RFC 9002
/// section 6.2.2); a flood of forged ones does so only at twice the cost.
///
/// Two Bloom filters take turns: fixed memory, 256 KiB from the first packet on, and the same time
/// for each, however many there are. At 50,000 packets a second at most one in eight is taken for a
/// repeat and is none. One thread.
class Repeats {
 public:
  /// A packet is remembered for at least so long, and for less than twice as long.
  static constexpr Duration kTurn = 2s;

  /// `seed`: nobody outside knows it.
  explicit Repeats(std::uint64_t seed) : seed_(seed) {}

  /// Whether a packet with this ID from there came before; from now on it did.
  bool came_before(const SocketAddress& from, const ConnectionId& id, Timestamp now);

 private:
  static constexpr std::size_t kBits = std::size_t{1} << 20;

  /// What came in one turn: two bits for each.
  class Filter {
   public:
    bool has(std::uint64_t hash) const {
      return !words_.empty() && bit(hash) && bit(hash >> 32);  // empty before the first turn
    }
    void add(std::uint64_t hash);
    void clear() { words_.assign(kBits / 64, 0); }

   private:
    bool bit(std::uint64_t at) const { return (words_[at % kBits / 64] >> (at % 64) & 1) != 0; }
    std::vector<std::uint64_t> words_;
  };

  void begin_turn(Timestamp now);

  std::uint64_t seed_;
  Timestamp turn_ends_;
  Filter current_, previous_;
};

}  // namespace qdt::quic
