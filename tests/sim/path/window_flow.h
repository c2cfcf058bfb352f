#pragma once

#include <array>
#include <deque>
#include <memory>

#include "sim/path/flow.h"

namespace qdt::testing {

/// The news of an acknowledged or lost packet for a congestion controller.
struct Acknowledged {
  double packets = 1;
  Duration rtt;
  Duration min_rtt;
  double packets_per_second = 0;  ///< delivery rate (draft-cheng-iccrg-delivery-rate-estimation)
  double in_flight = 0;
  bool ends_round = false;  ///< everything sent when the last round ended has been answered
};

/// How much a WindowFlow may send.
class Controller {
 public:
  virtual ~Controller() = default;
  virtual void on_acknowledged(const Acknowledged& acknowledged, Timestamp now) = 0;
  /// Packets were lost, or marked: at most once in a round trip.
  virtual void on_congestion(Timestamp now) = 0;
  /// Nothing came back for a retransmission timeout.
  virtual void on_silence() = 0;
  virtual double window_packets() const = 0;
  virtual double packets_per_second() const { return 0; }  ///< pacing; 0: none
};

/// CUBIC (RFC 9438) with HyStart's delay rule (RFC 9406), as Linux has it.
std::unique_ptr<Controller> make_cubic();
/// The core of BBR version 1: the rate of the ten latest rounds, the smallest round trip of all,
/// eight gains in turn. Without ProbeRTT: the simulated paths keep their length.
std::unique_ptr<Controller> make_bbr();

/// A bulk transfer as TCP does it, without its bytes: selective acknowledgements for every other
/// packet come back by the same path, a packet is lost when three later ones have come, and what is
/// lost is sent again as a new packet, so that all that arrives is of use. It never runs out.
class WindowFlow final : public Flow {
 public:
  WindowFlow(const Options& options, InnerPath& path, std::unique_ptr<Controller> controller,
             Timestamp start);

  void receive(const FlowHeader& header, Bytes packet, Timestamp now) override;
  Timestamp next_timeout() const override;
  void send(Timestamp now) override;

 private:
  static constexpr std::uint64_t kReordering = 3;
  static constexpr Duration kMinTimeout = 200ms;
  static constexpr Duration kAcknowledgementDelay = 40ms;
  static constexpr Duration kPacingQuantum = 500us;

  struct Sent {
    Timestamp at;
    Timestamp first_sent;  // of the window that the delivery rate is measured over
    Timestamp delivered_at;
    std::uint64_t delivered = 0;  // until then
    bool is_acknowledged = false;
  };

  void arrived(const FlowHeader& header, bool is_marked, Timestamp now);
  void acknowledged(const FlowHeader& header, Timestamp now);
  void acknowledge_one(std::uint64_t number, Timestamp now);
  void give_up_before(std::uint64_t number, Timestamp now);
  void congestion(Timestamp now);
  Timestamp timeout_at() const;

  std::unique_ptr<Controller> controller_;

  // The sender's.
  std::deque<Sent> window_;
  std::uint64_t first_ = 0;  // number of window_.front()
  std::uint64_t next_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t highest_acknowledged_ = 0;
  std::uint64_t recovery_end_ = 0;  // packets before this one tell nothing new of congestion
  std::uint64_t round_end_ = 0;     // in delivered packets
  std::uint64_t marks_seen_ = 0;
  Timestamp delivered_at_;
  Timestamp first_sent_;
  Timestamp heard_at_;
  Timestamp next_send_;
  Duration min_rtt_ = Duration::max();
  Duration srtt_ = 1s;
  int backoff_ = 1;

  // The receiver's.
  FlowHeader reply_;
  int unacknowledged_ = 0;
  Timestamp reply_by_ = kNever;
  bool has_arrived_ = false;
};

}  // namespace qdt::testing
