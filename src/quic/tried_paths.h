#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/time.h"
#include "base/udp_burst.h"

namespace qdt::quic {

/// The addresses from which packets of a peer came, and which have not shown that it gets what is
/// sent there. Each is tried for a while and then given up, at first for 10 s, since a client may
/// come back to where packets were lost, and each further time for twice as long: somebody
/// who sends copies from elsewhere, or in another's name, makes nobody the target of a
/// session (RFC 9000 section 9.3). One for a connection, for both planes. One thread.
class TriedPaths {
 public:
  /// So many are remembered, each for kMemory after it may be tried again. One more takes the place
  /// of the one given up that may be tried again first.
  static constexpr std::size_t kMaxTried = 32;
  static constexpr Duration kShortestRest = 10s;
  static constexpr Duration kLongestRest = 10min;
  static constexpr Duration kMemory = 10min;

  /// Until when packets may go to `path`, which has `patience` to answer from the first call on;
  /// nothing where none may.
  std::optional<Timestamp> try_until(const UdpPath& path, Duration patience, Timestamp now);
  /// Whether try_until() would have an answer.
  bool may_try(const UdpPath& path, Timestamp now) const;
  void give_up(const UdpPath& path, Timestamp now);
  /// The peer has answered on `path`.
  void on_answer(const UdpPath& path);

 private:
  struct Try {
    SocketAddress address;
    Timestamp until;
    Duration rest = kShortestRest;  // from then on

    bool is_over(Timestamp now) const { return now >= until; }
    bool may_begin_again(Timestamp now) const { return now >= until + rest; }
    void begin_again(Timestamp new_until) {
      until = new_until;
      rest = std::min<Duration>(2 * rest, kLongestRest);
    }
  };
  std::vector<Try> tries_;
};

}  // namespace qdt::quic
