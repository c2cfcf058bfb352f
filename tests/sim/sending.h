#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/nodes.h"

namespace qdt::testing {

/// Stands before a node and notes what it sends at one moment of virtual time: what a link gets
/// back to back, however slow it is.
class BurstMeter final : public SimNode {
 public:
  explicit BurstMeter(SimNode& node) : node_(node) {}

  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
               Timestamp now) override {
    node_.receive(path, ecn, payload, out, now);
  }
  bool send(UdpSendQueue& out, Timestamp now) override {
    const bool is_done = node_.send(out, now);
    if (now != burst_began_) burst_bytes_ = 0;
    burst_began_ = now;
    for (const UdpBurst& burst : out.bursts()) {
      burst_bytes_ += burst.bytes.size();
      sent_bytes_ += burst.bytes.size();
    }
    largest_bytes_ = std::max(largest_bytes_, burst_bytes_);
    return is_done;
  }
  Timestamp next_timeout() override { return node_.next_timeout(); }
  void handle_timeouts(Timestamp now) override { node_.handle_timeouts(now); }

  std::size_t largest_bytes() const { return largest_bytes_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  void reset() { largest_bytes_ = sent_bytes_ = 0; }

 private:
  SimNode& node_;
  Timestamp burst_began_{};
  std::size_t burst_bytes_ = 0;
  std::size_t largest_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace qdt::testing
