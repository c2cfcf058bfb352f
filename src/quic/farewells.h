#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "quic/connection_id.h"

namespace qdt::quic {

/// All that is kept of a connection that has ended: by which IDs late packets of its peer are
/// recognised, and what they are answered with (RFC 9000 section 10.2). One thread.
class Farewells {
 public:
  /// One more takes the place of the oldest, whose peer gets a stateless reset from then on.
  static constexpr std::size_t kMaxFarewells = 256;
  /// The newest of a connection's IDs; a peer has no more than that in use.
  static constexpr std::size_t kMaxIds = 16;

  struct Farewell {
    std::vector<ConnectionId> ids;
    UdpPath path;
    std::vector<std::uint8_t> payload;  ///< to be said again; empty: nothing
    Timestamp until;
    std::uint32_t heard = 0;  ///< packets that came since
  };

  void add(Farewell farewell);
  /// Whether a packet for `id` is late. With the farewell that it calls for now: fewer and fewer of
  /// them, the more packets come.
  struct Late {
    bool is_late = false;
    const Farewell* answer = nullptr;
  };
  Late hear(Bytes id);

  Timestamp next_timeout() const { return queue_.empty() ? kNever : queue_.front().until; }
  /// Forgets those whose time is over.
  void forget(Timestamp now);

  std::size_t count() const { return queue_.size(); }

 private:
  void forget_oldest();

  std::deque<Farewell> queue_;  // in the order of their ends; a reference lasts until it goes
  std::unordered_map<ConnectionId, Farewell*> by_id_;
};

}  // namespace qdt::quic
