#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "access/rate_parts.h"
#include "access/session_places.h"
#include "access/shared_rate.h"
#include "access/traffic.h"
#include "base/token_bucket.h"

namespace qdt::access {

/// Inner bits a second of all sessions of a user together. 0: any number.
struct BitRates {
  std::uint64_t up = 0;    ///< from the clients
  std::uint64_t down = 0;  ///< and to them
  bool operator==(const BitRates&) const = default;
};

/// The limits of a user. By default there are none.
struct UserLimits {
  std::size_t max_sessions = 0;  ///< at a time; 0: any number
  RateLimit session_rate;        ///< inner packets of each session, each direction
  RateLimit rate;                ///< inner packets of all sessions together, each direction
  BitRates bits;
};

/// The state that all sessions of one user share, in whatever shards they are. It outlives the
/// UserTable that it came with: limits may change while sessions live, counts go on. Any thread;
/// nothing of it is touched for every packet.
class Account {
 public:
  /// SessionPlaces::take().
  bool reserve_session(std::size_t max, bool replaces) { return sessions_.take(max, replaces); }
  void release_session() { sessions_.give_back(); }
  std::size_t sessions() const { return sessions_.taken(); }

  SharedRate& rate_up() { return rate_up_; }
  SharedRate& rate_down() { return rate_down_; }
  /// Of UserLimits::bits, in bytes.
  SharedRate& bytes_up() { return bytes_up_; }
  SharedRate& bytes_down() { return bytes_down_; }
  /// What the sessions are told of the rate up.
  RateParts& parts_up() { return parts_up_; }

  /// Adds what a session has carried since it told the last time: about once a second, and at its
  /// end.
  void add(const Traffic& traffic);
  /// The sum of what was added.
  Traffic traffic() const;

 private:
  struct Way {
    std::atomic<std::uint64_t> packets = 0;
    std::atomic<std::uint64_t> bytes = 0;
    std::atomic<std::uint64_t> drops = 0;

    void add(const Traffic::Way& way);
    Traffic::Way value() const;
  };

  SessionPlaces sessions_;
  SharedRate rate_up_;
  SharedRate rate_down_;
  SharedRate bytes_up_;
  SharedRate bytes_down_;
  RateParts parts_up_;
  Way up_;
  Way down_;
};

}  // namespace qdt::access
