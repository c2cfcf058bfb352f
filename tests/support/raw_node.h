#pragma once

#include <utility>
#include <vector>

#include "support/raw_peer.h"
#include "support/sim_world.h"

namespace qdt::testing {

/// A raw peer as a node of the simulated world.
class RawNode final : public SimNode {
 public:
  RawNode(const RawPeer::Options& options, const UdpPath& path) : peer(options), path_(path) {}
  void receive(const UdpPath& path, Ecn, Bytes payload, UdpSendQueue&, Timestamp) override {
    path_ = path;
    peer.receive(payload);
  }
  bool send(UdpSendQueue& out, Timestamp) override {
    for (const ByteVector& payload : peer.take_payloads()) write(payload, out);
    for (const ByteVector& payload : std::exchange(more, {})) write(payload, out);
    return true;
  }
  Timestamp next_timeout() override { return kNever; }
  void handle_timeouts(Timestamp) override {}

  /// Sends a packet of these frames soon.
  void add(Bytes frames) { more.push_back(peer.seal(PacketSpace::kApplication, frames)); }

  RawPeer peer;
  std::vector<ByteVector> more;  ///< payloads that go out with the next send()

 private:
  void write(const ByteVector& payload, UdpSendQueue& out) {
    append(out.next_payload(), payload);
    out.push(path_, Ecn::kNotEct, payload.size());
  }
  UdpPath path_;
};

}  // namespace qdt::testing
