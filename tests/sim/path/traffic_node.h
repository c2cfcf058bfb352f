#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "sim/path/flow.h"

namespace qdt::testing {

/// All inner hosts of a simulated world, and a clock that samples: drives flows, and gives them
/// what has come for them. It sends nothing of its own; attach it at an address that sorts before
/// the tunnels', so that they send at once what its flows have given them.
class TrafficNode final : public SimNode {
 public:
  /// Calls `sample` each millisecond from `from` until `to`.
  void sample_each_millisecond(Timestamp from, Timestamp to, std::function<void()> sample) {
    next_sample_ = from;
    last_sample_ = to;
    sample_ = std::move(sample);
  }
  Flow& add(std::unique_ptr<Flow> flow) { return *flows_.emplace_back(std::move(flow)); }
  std::size_t flow_count() const { return flows_.size(); }
  /// From now on nothing is sent; what comes is counted.
  void stop() { is_stopped_ = true; }

  /// A packet has come to its inner destination.
  void deliver(Bytes packet, Timestamp now) {
    if (packet.size() < FlowHeader::kOffset + FlowHeader::kBytes) return;
    const FlowHeader header = FlowHeader::read(packet);
    if (header.flow < flows_.size()) flows_[header.flow]->receive(header, packet, now);
  }

  void receive(const UdpPath&, Ecn, Bytes, UdpSendQueue&, Timestamp) override {}
  bool send(UdpSendQueue&, Timestamp now) override {
    if (is_stopped_) return true;
    for (const auto& flow : flows_) flow->send(now);
    return true;
  }
  Timestamp next_timeout() override {
    Timestamp next = next_sample_;
    if (is_stopped_) return next;
    for (const auto& flow : flows_) next = std::min(next, flow->next_timeout());
    return next;
  }
  void handle_timeouts(Timestamp now) override {
    if (next_sample_ > now) return;
    sample_();
    next_sample_ += 1ms;
    if (next_sample_ >= last_sample_) next_sample_ = kNever;
  }

 private:
  std::vector<std::unique_ptr<Flow>> flows_;
  bool is_stopped_ = false;
  Timestamp next_sample_ = kNever;
  Timestamp last_sample_;
  std::function<void()> sample_;
};

}  // namespace qdt::testing
