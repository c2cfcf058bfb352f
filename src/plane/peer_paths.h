#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "quic/tried_paths.h"
#include "wire/direct_frame.h"

namespace qdt::plane {

/// Where a server sends a session's direct packets (docs/protocol-v1.md section 7, Moving). Home is
/// the path that has answered. Packets go to where the newest packet came from, within limits, and
/// home again when it shows that the client is there: whoever copies packets and is faster than the
/// path moves nothing. Pure: no packets, no clock. One thread.
class PeerPaths {
 public:
  enum class Kind {
    kNewest,  ///< no packet had a higher counter
    kLate,
    kCopy,  ///< authentic, and was there before
  };
  struct Arrival {
    UdpPath path;
    std::uint64_t counter = 0;
    Kind kind = Kind::kNewest;
    std::size_t bytes = 0;
    bool has_new_id = false;  ///< the client has changed its connection ID: it moves on purpose
  };
  struct Times {
    Timestamp now;
    Duration rtt{};
    Duration patience{};  ///< with an address that has not answered: three probe timeouts
  };
  struct Ping {
    UdpPath path;
    wire::PingCookie cookie{};
  };

  /// Referenced objects outlive this one.
  PeerPaths(const UdpPath& home, quic::TriedPaths& tried, Random& random)
      : tried_(tried), random_(random), home_(home) {}

  /// Where packets go.
  const UdpPath& current() const { return is_leading() ? trial_->path : home_; }
  /// The path that has answered.
  const UdpPath& home() const { return home_; }
  /// Packets go to an address that has not answered.
  bool is_on_trial() const { return is_leading(); }
  /// Whether arrivals on home have to be told of.
  bool is_watching() const { return trial_ || former_ || !tries_.empty(); }

  // Each of these: true if current() is another now.

  /// A packet that opened.
  bool on_arrival(const Arrival& arrival, const Times& times);
  /// `cookie` came back by `path`.
  bool on_pong(const wire::PingCookie& cookie, const UdpPath& path, const Times& times);
  /// The QUIC connection has found that the client answers on `path`.
  bool on_validated(const UdpPath& path, const Times& times);
  /// The client is at `path` as far as is known, and nowhere else.
  bool go_home_to(const UdpPath& path);
  /// Gives up what has not answered in time.
  bool expire(const Times& times);

  /// Whether `bytes` more may go to current(): to an address that has not answered at most three
  /// times what came from it.
  bool may_send(std::size_t bytes) const { return !is_leading() || trial_->has_room(bytes); }
  void on_sent(std::size_t bytes) {
    if (is_leading()) trial_->sent += bytes;
  }
  /// Where a packet of `bytes` goes as well, as long as two addresses may be the client's; nothing
  /// most of the time. It is counted as sent.
  std::optional<UdpPath> take_second(std::size_t bytes);
  /// The cookie of a ping to current() that is due.
  std::optional<wire::PingCookie> take_ping(Timestamp now);
  /// A ping to another address that is due, of `bytes` in all. It is counted as sent.
  std::optional<Ping> take_ping_elsewhere(std::size_t bytes, Timestamp now);
  Timestamp next_timeout() const;
  /// When expire() may have something to do.
  Timestamp deadline() const;

 private:
  static constexpr std::uint64_t kFactor = 3;  // RFC 9000 section 8
  static constexpr std::size_t kMaxTries = 4;
  static constexpr int kMovesPerSecond = 10;
  static constexpr Duration kPingInterval = 250ms;
  static constexpr Duration kMinHomePatience = 300ms;
  // After somebody was found copying: packets follow nobody who has not answered.
  static constexpr Duration kCaution = 60s;

  /// An address that may be the client's.
  struct Try {
    UdpPath path;
    wire::PingCookie cookie{};
    std::uint64_t first_counter = 0;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    Timestamp until;
    Timestamp next_ping;
    Duration ping_interval = kPingInterval;
    bool has_answered = false;
    bool is_known = false;       // was home once: no limit
    bool is_contested = false;   // the trial: home brings packets, too
    bool goes_home_too = false;  // the trial
    bool takes_ping(Timestamp now);
    bool has_room(std::size_t bytes) const {
      return is_known || has_answered || sent + bytes <= kFactor * received;
    }
  };
  struct Former {
    UdpPath path;
    std::uint64_t first_counter = 0;  // of what came from elsewhere then
    Timestamp until;
  };

  bool is_leading() const { return trial_ && !trial_->is_contested; }
  Try* find(const UdpPath& path);
  Try make_try(const UdpPath& path, const Arrival& arrival, Timestamp until, Timestamp now);
  void ask(const Arrival& arrival, Timestamp until, const Times& times);
  void ask_known(const UdpPath& path, const Arrival& arrival, const Times& times);
  bool is_asking_home() const;
  bool begin_trial(const Arrival& arrival, const Times& times);
  bool on_home(const Arrival& arrival, const Times& times);
  bool settle(const UdpPath& path, std::uint64_t first_counter, const Times& times);
  bool settle_at_answered(const Times& times);

  quic::TriedPaths& tried_;
  Random& random_;
  UdpPath home_;
  std::optional<Try> trial_;  // the address that packets go to, until it is home
  std::vector<Try> tries_;    // those that get pings only; home among them while it is in question
  std::optional<Former> former_;     // home before this one
  std::optional<UdpPath> declined_;  // has answered, but so did home
  Timestamp cautious_until_;
  Timestamp moves_began_;
  int moves_ = 0;
};

}  // namespace qdt::plane
