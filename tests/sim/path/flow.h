#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/nodes.h"

namespace qdt::testing {

enum class Direction { kUp, kDown };  ///< from a client's hosts; to them

inline Direction opposite(Direction direction) {
  return direction == Direction::kUp ? Direction::kDown : Direction::kUp;
}

/// Carries inner packets between the host behind a client and those behind a server: a tunnel, over
/// some data plane, or the bare path.
class InnerPath {
 public:
  virtual ~InnerPath() = default;
  virtual IpAddress client_host() const = 0;
  virtual void send(Direction direction, Bytes packet, Timestamp now) = 0;
};

/// The content of all flows' packets behind their IP and UDP headers.
struct FlowHeader {
  static constexpr std::size_t kOffset = 28;
  static constexpr std::size_t kBytes = 48;

  std::uint32_t flow = 0;
  bool is_acknowledgement = false;
  std::uint64_t number = 0;   ///< of the packet; of the highest that has come
  Timestamp sent;             ///< by the clock of the world; of the packet that is acknowledged
  std::uint64_t arrived = 0;  ///< bit n: packet number - n has come
  std::uint64_t congestion_marks = 0;  ///< that have come so far

  void write(MutableBytes packet) const;
  static FlowHeader read(Bytes packet);
};

/// The result of a flow, counted from the start of the measurement.
struct FlowFigures {
  std::uint64_t delivered_bytes = 0;  ///< while it lasted
  std::uint64_t sent_packets = 0;
  std::uint64_t delivered_packets = 0;  ///< of those
  std::vector<Duration> delays;         ///< of those, one way
  /// The share that arrived of each second's packets, however late.
  std::vector<std::uint64_t> delivered_bytes_by_second;
};

/// Packets from one inner host to another, and what becomes of them.
class Flow {
 public:
  struct Options {
    std::uint32_t id = 0;
    Direction direction = Direction::kUp;
    std::size_t packet_bytes = 1350;
    bool ecn = false;  ///< its packets say that it understands marks
  };

  Flow(const Options& options, InnerPath& path) : options_(options), path_(path) {}
  virtual ~Flow() = default;

  /// A packet of this flow, or an acknowledgement of one, has come to its destination.
  virtual void receive(const FlowHeader& header, Bytes packet, Timestamp now);
  virtual Timestamp next_timeout() const = 0;
  /// Sends what is due. Called after receive() too.
  virtual void send(Timestamp now) = 0;

  /// Counts from `from` on, until `to`.
  void measure(Timestamp from, Timestamp to) {
    from_ = from;
    to_ = to;
  }
  const FlowFigures& figures() const { return figures_; }
  const Options& options() const { return options_; }

 protected:
  void send_packet(std::uint64_t number, Timestamp now);
  void send_acknowledgement(const FlowHeader& header, Timestamp now);
  static bool is_marked(Bytes packet) { return (packet[1] & 3) == 3; }

 private:
  void send_out(const FlowHeader& header, Direction direction, std::size_t bytes, Timestamp now);

  Options options_;
  InnerPath& path_;
  Timestamp from_ = kNever;
  Timestamp to_ = kNever;
  FlowFigures figures_;
  Packet packet_;
};

/// So much for so long.
struct Phase {
  Duration duration;
  double megabits_per_second;  ///< inner packets
};

/// Sends at a constant rate, phase by phase and over again, whatever becomes of it: a call, a
/// stream, or, where the rate is above that of the path, a flood that keeps the tunnel's queue
/// full. Packets that come faster than 5,000 a second come in groups, as from a TUN device.
class PhasedFlow final : public Flow {
 public:
  PhasedFlow(const Options& options, InnerPath& path, std::vector<Phase> phases, Timestamp start);

  Timestamp next_timeout() const override { return next_; }
  void send(Timestamp now) override;

 private:
  static constexpr Duration kMinGap = 200us;

  std::vector<Phase> phases_;
  std::size_t phase_ = 0;
  Timestamp phase_start_;
  Timestamp next_;
  double owed_packets_ = 1;
  std::uint64_t number_ = 0;
};

}  // namespace qdt::testing
