#pragma once

#include <cstdint>

namespace qdt::access {

/// Inner packets, as counted for a session or for all sessions of a user.
struct Traffic {
  struct Way {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t drops = 0;  ///< packets that were discarded, each counted by its reason as well

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
