#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "base/time.h"

namespace qdt::linkem {

/// One direction of a path: a rate with a tail-drop queue before it, a delay, and the faults of
/// real networks. Shares are from 0 to 1.
struct LinkOptions {
  double bits_per_second = 0;  ///< 0: no limit
  Duration queue = 100ms;      ///< what the queue holds, in time at that rate
  Duration delay{};
  Duration jitter{};             ///< added to the delay, evenly from 0 to this; keeps the order
  double loss = 0;               ///< of packets
  double mean_loss_packets = 1;  ///< how many are lost in a row, on average
  double reordered = 0;          ///< of packets, which come later than others by reorder_delay
  Duration reorder_delay = 5ms;
  double duplicated = 0;
  std::size_t max_packet_bytes = 65535;  ///< larger ones vanish without a word
};

/// The fate of the packets of one direction. Pure: time goes in; the same seed and packets have
/// the same fate.
class Link {
 public:
  Link(const LinkOptions& options, std::uint64_t seed) : options_(options), random_(seed) {}

  /// From now on; what is on its way stays so.
  void change(const LinkOptions& options) { options_ = options; }

  /// A packet's arrival: `copies` of it, 0 when it is lost, at `time`.
  struct Fate {
    int copies = 0;
    Timestamp time;
  };
  /// The fate of an IP packet of so many bytes that enters at `now`, which never goes back.
  Fate send(std::size_t packet_bytes, Timestamp now);

 private:
  bool is_lost();
  bool happens(double share) { return share > 0 && uniform_(random_) < share; }

  LinkOptions options_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> uniform_{0, 1};
  Timestamp idle_from_;     // when the rate has sent what it was given
  Timestamp last_arrival_;  // of those in order
  bool is_losing_ = false;
};

}  // namespace qdt::linkem
