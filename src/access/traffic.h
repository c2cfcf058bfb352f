#pragma once

#include <cstdint>

namespace qdt::access {

/// Inner packets, as counted for a session or for all sessions of a user.
struct Traffic {
  struct Way {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    /// Packets of the peer's, or for it, that were discarded; some had been counted as packets
    /// before, and were discarded while they waited.
    std::uint64_t drops = 0;

    void count(std::uint64_t packet_bytes) {
      ++packets;
      bytes += packet_bytes;
    }
    Way operator-(const Way& before) const {
      return {packets - before.packets, bytes - before.bytes, drops - before.drops};
    }
    bool operator==(const Way&) const = default;
  };
  Way up;    ///< from the client
  Way down;  ///< to it

  /// The part that has come since `before`.
  Traffic operator-(const Traffic& before) const { return {up - before.up, down - before.down}; }
  bool operator==(const Traffic&) const = default;
};

}  // namespace qdt::access
