#pragma once

#include <cstdint>

#include "base/time.h"

namespace qdt::tunnel {

/// CoDel (RFC 8289): tells from the time that packets have spent in a queue when one of them must
/// go, so that a burst may wait but a standing queue may not. Pure: time goes in.
class Codel {
 public:
  /// The delay that may stand, and for how long it may be exceeded before anything is done (RFC
  /// 8289 section 4.3, 4.4).
  static constexpr Duration kTarget = 5ms;
  static constexpr Duration kInterval = 100ms;

  /// To be asked of each packet that is taken from the queue's head, until one may stay. True: it
  /// must go, or be marked. `is_last_one`: at most one packet's worth is queued, so the link would
  /// idle without it.
  bool should_drop(Duration sojourn, bool is_last_one, Timestamp now) {
    return should_drop(sojourn >= kTarget && !is_last_one, now);
  }
  /// The same for a queue that is measured in another way.
  bool should_drop(bool is_above_target, Timestamp now);
  /// Forgets the time waited until now and the packets dropped for it.
  void reset() { *this = Codel(); }

 private:
  bool is_standing(bool is_above_target, Timestamp now);
  static Timestamp after_interval(Timestamp from, std::uint32_t count);

  Timestamp above_until_;    // when `above` will have lasted an interval; 0: it is not above
  Timestamp next_;           // while dropping: when the next has to go
  std::uint32_t count_ = 0;  // since dropping began
  std::uint32_t last_count_ = 0;
  bool is_dropping_ = false;
};

}  // namespace qdt::tunnel
