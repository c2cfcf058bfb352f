#pragma once

#include <cstdint>

#include "base/time.h"
#include "plane/departure_log.h"

namespace qdt::plane {

/// Keeps the queue on the path short: holds back what the direct plane sends when, and only as long
/// as, that helps. Inner senders have a congestion control of their own (RFC 8085 section 3.1.11),
/// so nothing is limited before a queue stands on the path. Then a little less is sent than
/// arrives, as an experiment. If the queue falls as that of a link which is ours alone would, it is
/// drained, and the rate goes on just below where it would stand again; if not, it is someone
/// else's, and the shaper lets go for a while. What comes and goes faster than sending less can do
/// is no queue at all, but a radio's or a busy host's doing, and changes nothing. Nor does loss by
/// itself, however much: it is the inner senders' affair. The shaper is asked once for each
/// feedback; packets meet the Pacer that has its rate. Pure: time goes in. One thread.
class Shaper {
 public:
  /// The queue that may stand on the path.
  static constexpr Duration kTarget = 10ms;

  /// The contents of one feedback. `is_backlogged`: since the last one, packets waited for the
  /// rate.
  void on_sample(const PathSample& sample, bool is_backlogged, Timestamp now);

  /// Bytes per second; 0: nothing is limited.
  double rate() const { return rate_; }
  /// Waiting packets should be neither dropped nor marked: the experiment is under way, and nothing
  /// says yet that the sender should slow down; or the experiment was of no use, and its backlog is
  /// on its way out; or it seems to have helped, but none has been seen to help since one was of no
  /// use.
  bool should_pause_dropping() const;

  enum class State {
    kFree,      ///< no evidence of a bottleneck of ours
    kTrying,    ///< does it help against the queue to send less?
    kDraining,  ///< it does
    kHolding,   ///< it did: the rate is ours to keep
    kReleased,  ///< it did not: nothing is limited for a while
  };
  State state() const { return state_; }

 private:
  void measure_jitter(Duration queue);
  Duration round_time() const;

  // The arrivals since it was cleared.
  struct Tally {
    std::uint64_t bytes = 0;
    Duration over{};
    std::uint64_t packets = 0;
    std::uint64_t lost = 0;

    void add(const PathSample& sample);
    double arriving() const;  // bytes per second
    double leaving() const;   // so as to arrive, lost ones included
  };

  void begin_round(Timestamp now);
  void end_round(Timestamp now);
  void look_for_evidence(Timestamp now);
  void try_less(double arriving, Timestamp now);
  void look_at_try(const PathSample& sample, Timestamp now);
  void go_on_as_before(Timestamp now);
  void drain(Duration queue, double arriving, Timestamp now);
  void begin_hold(double bytes_per_second, Timestamp now);
  void hold(Timestamp now);
  void lower(Timestamp now);
  void raise(Timestamp now);
  void let_go();
  void let_go_further(Timestamp now);
  void release(Timestamp now);
  void limit(double bytes_per_second, Timestamp now);

  State state_ = State::kFree;
  double rate_ = 0;

  // How much the delay goes up and down from one sample to the next, apart from growing or falling
  // steadily as queues do; smoothed as in RFC 3550 section 6.4.1.
  Duration jitter_{};
  Duration last_queue_{};
  Duration last_change_{};

  // The round under way: until something that left after it began has arrived. What left before
  // tells of an earlier rate.
  Timestamp round_began_;
  Duration least_queue_ = Duration::max();
  Tally round_;
  bool was_backlogged_ = false;
  Duration queue_{};  // the least of the last round
  int standing_rounds_ = 0;
  double standing_arriving_ = 0;  // in the last of those rounds

  // The experiment, and what followed of it.
  Timestamp began_;
  Duration try_time_{};
  struct Point {
    Timestamp sent;
    Duration queue{};
  };
  Point first_;  // that arrived of what left since then
  Point latest_;
  bool is_second_try_ = false;
  Timestamp drained_at_;
  bool is_unproven_ = false;  // it seemed to help, but the path has not been seen empty since
  double arriving_before_ = 0;
  double asked_before_ = 0;  // the same, before the first experiment
  double held_before_ = 0;   // the rate, if it was held before the experiment
  double ceiling_ = 0;       // where the queue stood last
  double most_ = 0;          // that was held
  int clear_rounds_ = 0;
  Timestamp last_backlogged_;
  Timestamp released_until_;
  Duration release_time_{};
};

}  // namespace qdt::plane
