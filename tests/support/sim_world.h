#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <vector>

#include "base/time.h"
#include "base/udp_burst.h"
#include "support/seeded_random.h"

namespace qdt::testing {

/// One direction of a simulated path: a rate with a tail-drop queue before it, a delay, and the
/// faults of real networks.
struct LinkOptions {
  Duration delay = 0ms;
  double bits_per_second = 0;  ///< 0: no limit
  std::size_t queue_bytes = 1 << 20;
  double loss = 0;  ///< of payloads, 0..1
  double duplicates = 0;
  double reordered = 0;  ///< share of payloads that take `reorder_delay` longer
  Duration reorder_delay = 5ms;
  double marked = 0;                   ///< share of ECN-capable payloads that meet congestion (CE)
  std::optional<Ecn> overwrites = {};  ///< what the ECN field of every payload becomes
  std::size_t max_payload_bytes = 65535;  ///< larger payloads vanish, as in an MTU black hole
  std::function<bool(Bytes payload)> passes = {};  ///< false: it vanishes
};

/// A host with other things to do: once in each period, at a random time of it, it comes to nothing
/// for up to `longest`.
struct Pauses {
  Duration every{};  ///< 0: never
  Duration longest{};
};

/// The subject of the simulator: anything that takes payloads and time and gives payloads.
class SimNode {
 public:
  virtual ~SimNode() = default;
  virtual void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
                       Timestamp now) = 0;
  /// Writes what there is to send; false when `out` filled up before the end.
  virtual bool send(UdpSendQueue& out, Timestamp now) = 0;
  virtual Timestamp next_timeout() = 0;
  virtual void handle_timeouts(Timestamp now) = 0;
};

/// Virtual time, and the links between nodes. Everything happens in the order of its time, and is
/// the same in every run with the same seed.
class SimWorld {
 public:
  explicit SimWorld(std::uint64_t seed) : random_(seed) {}

  Timestamp now() const { return now_; }
  SeededRandom& random() { return random_; }

  /// Puts `node` at `address`; what it sends leaves over `uplink`.
  void attach(const SocketAddress& address, SimNode& node, const LinkOptions& uplink = {});
  /// Changes the link that payloads from `address` take, from now on. What waits in its queue then
  /// leaves at the new rate.
  void set_link(const SocketAddress& address, const LinkOptions& uplink);
  /// From now on payloads from `address` wait in the queue of the link of `owner`, and leave at its
  /// rate, together with its own: a bottleneck that both share. Delay and faults stay those of
  /// their own link.
  void share_queue(const SocketAddress& address, const SocketAddress& owner);
  /// From now on the node at `address` takes nothing, sends nothing and sees no timer while it
  /// pauses; what comes meanwhile waits for it.
  void set_pauses(const SocketAddress& address, const Pauses& pauses);
  /// Puts a NAT before `inside`: others see its payloads come from `outside`, and reach it there
  /// and nowhere else. Called again, the mapping has changed.
  void translate(const SocketAddress& inside, const SocketAddress& outside) {
    translations_[inside] = outside;
  }

  /// Runs until `done()` or `duration` has passed; returns whether it was `done()`.
  template <typename Done>
  bool run_until(Done&& done, Duration duration) {
    const Timestamp end = now_ + duration;
    flush();
    while (!done()) {
      if (!step(end)) return done();
    }
    return true;
  }
  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }
  /// Lets nodes send what they were given outside of an event.
  void flush();

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t lost() const { return lost_; }
  /// How long the latest payload from `address` waited in its link's queue.
  Duration queue_delay(const SocketAddress& address) const;
  /// How long a payload that `address` sends now would wait there.
  Duration backlog(const SocketAddress& address) const;

 private:
  struct Attachment {
    SimNode* node;
    LinkOptions link;
    Timestamp link_free;  // when the link has sent what it was given
    Duration queue_delay{};
    std::optional<SocketAddress> queue_owner;  // nothing: its own
    Pauses pauses{};
    std::uint64_t pauses_seed = 0;

    /// `time`, or the end of the pause that it lies in.
    Timestamp awake(Timestamp time) const;
  };
  struct Arrival {
    Timestamp time;
    std::uint64_t order;
    UdpPath path;  // as the receiver sees it
    Ecn ecn;
    std::vector<std::uint8_t> payload;
    bool operator>(const Arrival& other) const {
      return std::tie(time, order) > std::tie(other.time, other.order);
    }
  };

  bool step(Timestamp end);
  /// The attachment in whose queue payloads from `attachment` wait.
  Attachment& queue_of(Attachment& attachment) {
    return attachment.queue_owner ? nodes_.at(*attachment.queue_owner) : attachment;
  }
  /// Where a payload to `address` goes; nothing when nobody is there.
  std::optional<SocketAddress> receiver_at(const SocketAddress& address) const;
  void carry(const UdpBurst& burst);
  void carry(const UdpPath& path, Ecn ecn, Bytes payload);

  Timestamp now_{Duration(1s)};
  SeededRandom random_;
  std::map<SocketAddress, Attachment> nodes_;
  std::map<SocketAddress, SocketAddress> translations_;  // inside to outside
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  UdpSendQueue out_{256};
  std::uint64_t order_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace qdt::testing
