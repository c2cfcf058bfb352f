#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

#include "base/drop.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/arrival_log.h"
#include "plane/departure_log.h"
#include "plane/large_watch.h"
#include "plane/pacer.h"
#include "plane/shaper.h"
#include "wire/direct_frame.h"

namespace qdt::plane {

/// One path of the direct plane: its address, and all that is known of it. What left and what of it
/// arrived, round trip and queue, whether the peer answers, whether large packets get through, and
/// the shaper that keeps its queue short. A plane that goes on elsewhere has another path, made
/// from the one before, which is gone as a whole. Pure: events and time go in. One thread.
class DirectPath {
 public:
  DirectPath(const UdpPath& address, bool has_shaper)
      : address_(address), has_shaper_(has_shaper) {}
  /// The path after `before`. The two ends' counts go on, since they are of the plane's packets,
  /// and what has had no answer still wants one. Nothing else is known of it, but for its round
  /// trip what was that of `before`, `rtt`, until it is measured.
  DirectPath(const UdpPath& address, const DirectPath& before, Duration rtt);

  const UdpPath& address() const { return address_; }

  // --- towards the peer ---

  /// Whether the shaper lets a packet leave now; if not, unblocked_at() says when.
  bool may_send(Timestamp now);
  /// Nothing waits for the shaper, as far as is known.
  void unblock() { unblocked_at_ = kNever; }
  Timestamp unblocked_at() const { return unblocked_at_; }
  /// Packet `counter`, the next, leaves in a payload of `bytes`.
  void on_sent(std::uint64_t counter, std::size_t bytes, bool has_packets, Timestamp now);
  /// A ping that goes to another address leaves as packet `counter`.
  void on_sent_elsewhere(std::uint64_t counter, Timestamp now);
  /// Gives back the memory of busier times. Now and then.
  void shrink(Timestamp now) { departures_.shrink(now); }
  /// The peer's reports.
  std::uint64_t delivered_bytes() const { return departures_.delivered_bytes(); }
  std::uint64_t packets_arrived() const { return packets_arrived_; }
  std::uint64_t packets_lost() const { return packets_lost_; }
  std::uint64_t highest_delivered() const { return departures_.highest(); }

  // --- answers; `rtt` as the plane believes it to be ---

  /// Packet `counter` calls for an answer. True: nothing before it waits for one.
  bool expect_answer(std::uint64_t counter, Timestamp now);
  bool is_awaiting_answer() const { return unanswered_since_ != kNever; }
  /// When patience ends with what has had no answer; kNever if everything has.
  Timestamp answer_due(Duration rtt) const {
    return is_awaiting_answer() ? unanswered_since_ + patience(rtt) : kNever;
  }
  /// How long packets may go unanswered.
  Duration patience(Duration rtt) const;
  /// Patience is over.
  void on_silence();
  /// The peer gets our packets.
  void on_answer(Timestamp now);
  /// Packets that were sent on another path owe no answer here.
  void forget_unanswered() { unanswered_since_ = kNever; }

  // --- from the peer ---

  /// Packets that arrive here, and when the peer is to hear of them.
  ArrivalLog& arrivals() { return arrivals_; }
  const ArrivalLog& arrivals() const { return arrivals_; }

  struct News {
    bool is_hole = false;       ///< large packets seem to be swallowed
    bool misses_large = false;  ///< after a silence, in which some were sent
  };
  /// The peer tells what has arrived; `next` is the counter of the next packet, `rtt` what is to be
  /// believed of the round trip if it is not measured yet. A Drop when it cannot be true; old news,
  /// overtaken by newer, is kReplayed.
  std::expected<News, Drop> on_feedback(const wire::Feedback& feedback, std::uint64_t next,
                                        Duration rtt, Timestamp now);

  // --- what the path is like ---

  /// Smoothed; zero before the first feedback.
  Duration rtt() const { return departures_.rtt(); }
  /// That of the path before, until this one's is measured.
  Duration earlier_rtt() const { return earlier_rtt_; }
  const Shaper& shaper() const { return shaper_; }
  /// The least that feedback has told of a queue since the last call: what stands there.
  Duration take_standing_queue() {
    const Duration queue = std::exchange(standing_queue_, Duration::max());
    return queue == Duration::max() ? Duration::zero() : queue;
  }

 private:
  bool only_control_arrives(const PathSample& sample, std::uint64_t highest_before, Duration rtt,
                            Timestamp now) const;
  void shape(const PathSample& sample, Timestamp now);

  UdpPath address_;
  ArrivalLog arrivals_;
  DepartureLog departures_;
  Duration earlier_rtt_{};  // of the path before, until this one is measured
  LargeWatch larges_;
  Duration standing_queue_ = Duration::max();
  std::uint64_t packets_arrived_ = 0;  // as the peer tells
  std::uint64_t packets_lost_ = 0;

  Shaper shaper_;
  bool has_shaper_;
  Pacer pacer_;  // of the shaper's rate
  bool is_backlogged_ = false;
  Timestamp unblocked_at_ = kNever;  // by the shaper

  Timestamp unanswered_since_ = kNever;
  struct Unanswered {
    std::uint64_t first = 0;     // counter
    std::uint64_t controls = 0;  // pings and feedback since then
    bool has_large = false;
  };
  Unanswered unanswered_;          // since then
  Duration slowest_answer_{};      // of late
  bool was_silent_ = false;        // and no feedback since
  bool has_silent_large_ = false;  // among what had no answer then
};

}  // namespace qdt::plane
