#pragma once

#include "sim/nodes.h"
#include "sim/path/flow.h"

namespace qdt::testing {

/// Through the tunnel between a client and a server.
class TunnelPath final : public InnerPath {
 public:
  TunnelPath(ServerNode& server, ClientNode& client) : server_(server), client_(client) {}

  IpAddress client_host() const override { return client_.response->client_ip; }
  void send(Direction direction, Bytes packet, Timestamp now) override {
    if (direction == Direction::kUp) {
      client_.inject(packet, now);
    } else {
      server_.inject(packet, now);
    }
  }

 private:
  ServerNode& server_;
  ClientNode& client_;
};

/// A host without a tunnel: each payload is a packet, less the headers that the world counts.
class BareNode final : public SimNode {
 public:
  void receive(const UdpPath&, Ecn, Bytes payload, UdpSendQueue&, Timestamp now) override {
    packet_.assign(kHeaders, 0);
    packet_.insert(packet_.end(), payload.begin(), payload.end());
    if (on_packet) on_packet(packet_, now);
  }
  bool send(UdpSendQueue& out, Timestamp) override {
    for (; sent_ < waiting_.size(); ++sent_) {
      if (!out.has_room()) return false;
      append(out.next_payload(), waiting_[sent_]);
      out.push(path, Ecn::kNotEct, waiting_[sent_].size());
    }
    waiting_.clear();
    sent_ = 0;
    return true;
  }
  Timestamp next_timeout() override { return kNever; }
  void handle_timeouts(Timestamp) override {}

  void inject(Bytes packet) { waiting_.emplace_back(packet.begin() + kHeaders, packet.end()); }

  UdpPath path;
  std::function<void(Bytes packet, Timestamp now)> on_packet;

 private:
  static constexpr std::ptrdiff_t kHeaders = FlowHeader::kOffset;

  Packet packet_;
  std::vector<Packet> waiting_;
  std::size_t sent_ = 0;
};

/// Past the tunnels, over the bare path.
class BarePath final : public InnerPath {
 public:
  BarePath(BareNode& server, BareNode& client) : server_(server), client_(client) {}

  IpAddress client_host() const override { return IpAddress::v4(0x0a0900fe); }
  void send(Direction direction, Bytes packet, Timestamp) override {
    (direction == Direction::kUp ? client_ : server_).inject(packet);
  }

 private:
  BareNode& server_;
  BareNode& client_;
};

}  // namespace qdt::testing
