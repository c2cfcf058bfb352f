#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/time.h"
#include "base/token_bucket.h"

namespace qdt::access {

/// A rate limit in which an attempt that comes too early may wait for its turn. A turn comes each
/// `interval`; a burst is as many turns in advance. Its whole state is the time of the next turn.
class PacedLimit {
 public:
  explicit PacedLimit(const RateLimit& limit);

  /// Takes a turn for an attempt at `now`, and returns the time until that turn: zero within the
  /// burst. No value, and no turn taken, when `max_waiting` others wait already. A debt that
  /// another limit has left is no longer than one that this limit makes.
  std::optional<Duration> take(Timestamp& next_turn, Timestamp now, std::size_t max_waiting) const;

 private:
  Duration interval_{};
  Duration burst_{};
};

/// A PacedLimit for each of many keys, in a table whose size and work are fixed: one look at the
/// eight entries of a key's set, whatever has been there. A key that finds its set full takes the
/// place of the one that owes least. A value; one thread at a time.
class AttemptTable {
 public:
  /// The debt that a key begins with when it pushes another out.
  enum class Newcomer : std::uint8_t {
    kOwesNothing,
    /// The debt of the other one: nobody gets rid of a debt by making the table forget.
    kInheritsDebt,
  };
  struct Options {
    RateLimit limit;
    Duration ttl = 10min;  ///< a key is forgotten so long after its last attempt
    std::size_t entries = 1;
    Newcomer newcomer = Newcomer::kOwesNothing;
    std::uint64_t seed = 0;  ///< nobody outside can tell which keys share a set
  };
  explicit AttemptTable(const Options& options);
  /// Other numbers from now on. What is remembered stays.
  void use(const RateLimit& limit, Duration ttl);

  /// PacedLimit::take() for `key`.
  std::optional<Duration> take(std::uint64_t key, Timestamp now, std::size_t max_waiting);

 private:
  static constexpr std::size_t kPlaces = 8;
  struct Entry {
    std::uint64_t key = 0;
    Timestamp next_turn;
    Timestamp last_attempt;
  };
  Entry& place_of(std::uint64_t key, Timestamp now);
  bool is_forgotten(const Entry& entry, Timestamp now) const {
    return entry.next_turn <= now || now - entry.last_attempt >= options_.ttl;
  }

  Options options_;
  PacedLimit limit_;
  std::size_t sets_;  // a power of two
  std::unique_ptr<Entry[]> entries_;
};

}  // namespace qdt::access
