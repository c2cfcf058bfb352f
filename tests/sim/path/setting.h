#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "sim/path/flow.h"

namespace qdt::testing {

/// Both directions of the path: one bottleneck each way, shared by all that is sent.
struct PathLink {
  double megabits_per_second = 100;  ///< of outer packets, UDP and IP headers included
  Duration rtt = 40ms;
  double loss = 0;          ///< each way, 0..1
  Duration buffer = 200ms;  ///< before the bottleneck, tail-drop; no less than kMinBufferBytes
  Pauses pauses;            ///< of the tunnel's hosts, at both ends

  static constexpr double kMinBufferBytes = 30e3;
  std::size_t buffer_bytes() const {
    const double bytes =
        megabits_per_second * 1e6 / 8 * std::chrono::duration<double>(buffer).count();
    return static_cast<std::size_t>(std::max(bytes, kMinBufferBytes));
  }
};

/// One kind of sender, and how many of it there are.
struct TrafficPart {
  enum class Kind { kPhases, kCubic, kBbr };
  Kind kind = Kind::kPhases;
  std::vector<Phase> phases;
  std::size_t flows = 1;
  std::size_t session = 0;  ///< whose tunnel carries it
  bool is_outside = false;  ///< of the tunnel, over the same bottleneck
  Duration start{};         ///< after that of the traffic; not of Kind::kPhases
  bool ecn = false;
};

struct Traffic {
  std::string name;
  std::vector<TrafficPart> parts;
  /// The delay that a person would notice: 50 packets a second of 100 bytes, in the tunnel of this
  /// session.
  std::size_t sparse_session = 0;
};

/// From this time of the measurement on, the bottleneck has another rate.
struct RateChange {
  Duration at;
  double megabits_per_second;
};

/// A path, and what is sent over it: nothing of this depends on what kind of tunnel carries it.
struct PathSetting {
  PathLink link;
  Traffic traffic;
  Direction direction = Direction::kUp;
  std::size_t sessions = 1;
  Duration second_rtt{};  ///< of the second session; 0: as the first
  std::vector<RateChange> changes;
  Duration warm_up = 4s;
  Duration measured = 6s;

  /// Letters, digits and underscores: 100M_40ms_1pct_greedy.
  std::string name() const;
};

/// The result. Shares are of what could have been delivered at the rate of the bottleneck, or
/// of what was offered where that is less; a packet of 1350 bytes is 93 % of what the QUIC plane
/// makes of it.
struct PathFigures {
  double goodput = 0;       ///< of all sessions, in the measured time
  double worst_second = 0;  ///< of what was sent within it
  Duration queue_p50{};     ///< standing at the bottleneck, sampled each millisecond
  Duration queue_p95{};
  Duration sparse_p50{};  ///< how much longer than an empty path the sparse flow's packets take
  Duration sparse_p95{};
  double sparse_loss = 0;
  double weakest_session = 0;   ///< its share of what a fair division gives it
  double outside_megabits = 0;  ///< of the flows outside, a second

  friend std::ostream& operator<<(std::ostream& out, const PathFigures& figures);
};

/// The required result. Where a limit is left out, nothing is promised.
struct PathPromise {
  double goodput = 0;
  Duration queue_p95 = Duration::max();
  Duration sparse_p95 = Duration::max();
  double sparse_loss = 1;
  double worst_second = 0;
  double weakest_session = 0;
  double outside_megabits = 0;
};

/// A setting, with what each data plane promises for it.
struct PathCase {
  PathSetting setting;
  PathPromise quic;
  PathPromise direct;

  friend std::ostream& operator<<(std::ostream& out, const PathCase& path) {
    return out << path.setting.name();
  }
};

// --- traffic ---

/// A quarter more than the link carries.
Traffic greedy(const PathLink& link);
Traffic limited(double megabits_per_second);
Traffic phases(std::string name, std::vector<Phase> phases);
Traffic cubic(std::size_t flows = 1);
Traffic cubic_with_ecn(std::size_t flows = 1);
Traffic bbr(std::size_t flows = 1);
/// `inside` in one session, and CUBIC flows past the tunnel.
Traffic beside_cubic(Traffic inside, std::size_t flows);
/// `first` in the first session, `second` in another; the sparse flow goes with the second.
Traffic in_two_sessions(const Traffic& first, const Traffic& second);

/// `traffic` over `link` for as long as shows what it comes to: some dozens of round trips, and
/// about 50,000 packets at most.
PathSetting over(const PathLink& link, Traffic traffic);

}  // namespace qdt::testing
