#pragma once

#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <vector>

#include "sim/nodes.h"
#include "support/raw_quic.h"

namespace qdt::fuzz {

using testing::ByteVector;
using testing::TunnelNode;

/// Virtual time between a target, honest nodes and payloads of hostile make. What the target sends
/// to an address that no honest node has goes to `on_hostile`. Links take 5 ms, hostile payloads
/// nothing.
class Stage {
 public:
  explicit Stage(TunnelNode& target) : target_(target) {}

  Timestamp now() const { return now_; }
  void add_honest(const SocketAddress& address, TunnelNode& node) { honest_[address] = &node; }

  /// The target gets `payload` on `path`, as it sees it, at once; of one that is larger than UDP
  /// carries, the beginning.
  void give(const UdpPath& path, Ecn ecn, Bytes payload);
  /// Lets everybody send what is due.
  void settle();
  /// Lets time pass. What would take more events than a program is allowed comes late, as on a host
  /// that slept meanwhile.
  void advance(Duration duration);
  /// Until `done`, or `longest` has passed.
  bool advance_until(const std::function<bool()>& done, Duration longest);

  /// Payloads that went by lately, in either direction.
  const std::deque<ByteVector>& recent() const { return recent_; }

  std::function<void(const UdpPath& path, Ecn ecn, Bytes payload)> on_hostile;
  bool loses_everything = false;  ///< on its way to hostile addresses

 private:
  struct Arrival {
    Timestamp time;
    std::uint64_t order;
    UdpPath path;  // as the receiver sees it
    Ecn ecn;
    ByteVector payload;
    bool operator>(const Arrival& other) const {
      return std::tie(time, order) > std::tie(other.time, other.order);
    }
  };

  void send_from(TunnelNode& node, bool is_target);
  void deliver(const Arrival& arrival);
  Timestamp next_event();
  void note(Bytes payload);
  bool run(const std::function<bool()>* done, Duration duration, int events);

  TunnelNode& target_;
  std::map<SocketAddress, TunnelNode*> honest_;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  UdpSendQueue out_{128};
  std::deque<ByteVector> recent_;
  Timestamp now_{Duration(1s)};
  std::uint64_t order_ = 0;
};

}  // namespace qdt::fuzz
