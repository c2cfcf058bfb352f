#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "client/backoff.h"
#include "client/ending.h"

namespace qdt::client {

/// The state of a client.
enum class State {
  kConnecting,    ///< for the first time
  kConnected,     ///< packets travel
  kSilent,        ///< the session stands, but nobody answers; for the status alone
  kReconnecting,  ///< it was connected, and is not now
  kRefused,       ///< the server says no; it is asked again now and then
  kDegraded,      ///< connected, but this host's network is not as it has to be
};
std::string_view name_of(State state);

/// When a client tries to connect, and what it calls the state that it is in. Takes events and the
/// time; neither clock nor threads.
class Reconnect {
 public:
  struct Options {
    Backoff::Options backoff;
    /// Between attempts after an ending that is lasting.
    Duration lasting_delay = 1min;
    /// A session that lived this long was a good one: the next attempt comes at once.
    Duration good_after = 5s;
    /// And one that lived this long is no reason to wait longer than after the first failure.
    Duration fair_after = 1s;
    /// How long an attempt may take: at the first connection, and at most later.
    Duration timeout = 10s;
    /// And the first attempt of a later one; each failure doubles it. Short, because an attempt
    /// that began while the path was down sends more and more seldom.
    Duration short_timeout = 3s;
    /// Goes on although the server was not reached at the first attempt.
    bool waits_for_server = false;
    /// How long a server may ask to be left alone.
    Duration max_retry_after = 2min;
  };

  /// `random` outlives it.
  Reconnect(const Options& options, Random& random, Timestamp now)
      : options_(options), random_(random), backoff_(options.backoff), since_(now), next_(now) {}

  State state() const { return state_; }
  /// Why it is in this state, for a person; empty while all is well.
  const std::string& reason() const { return reason_; }
  /// When the state began.
  Timestamp since() const { return since_; }
  std::uint64_t connects() const { return connects_; }

  /// When to begin the next attempt.
  Timestamp next_attempt() const { return next_; }
  /// How long that may take.
  Duration attempt_timeout() const;

  /// The attempt took so long: later ones may, too.
  void on_connected(Timestamp now, Duration took = {});
  /// An attempt has failed, or the session has ended. False: that was it, there is no next attempt.
  /// A refusal that passes ("rate limited", "server busy") is waited out, at the first connection
  /// too.
  [[nodiscard]] bool on_ended(const Ending& ending, Timestamp now);
  /// The network is another: whatever failed before may work now.
  void on_network_change(Timestamp now);

 private:
  bool gives_up(const Ending& ending) const;
  Duration delay(const Ending& ending, Timestamp now);
  Duration spread(Duration retry_after);
  void enter(State state, Timestamp now);

  Options options_;
  Random& random_;
  Backoff backoff_;
  State state_ = State::kConnecting;
  std::string reason_;
  Timestamp since_;
  Timestamp next_;
  std::uint64_t connects_ = 0;
  int failures_ = 0;  // in a row
  Duration took_{};   // to connect
};

}  // namespace qdt::client
