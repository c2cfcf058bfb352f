#pragma once

#include <deque>

#include "sim/nodes.h"

namespace qdt::testing {

inline const SocketAddress kRacer{IpAddress::v4(0xc6336466), 666};

/// Reads what passes on the client's path, and sends it to the server from elsewhere.
class Racer final : public SimNode {
 public:
  Racer(ServerNode& server, ClientNode& client) : server_(server), client_(client) {}

  void copy(Bytes payload, Timestamp now) {
    if (is_racing) due_.push_back({now + lag, {payload.begin(), payload.end()}});
  }
  void receive(const UdpPath&, Ecn, Bytes payload, UdpSendQueue&, Timestamp now) override {
    bytes += payload.size();
    if (!relays) return;
    client_.receive({kClientAddress, kServerAddress}, Ecn::kNotEct, payload, unused_, now);
  }
  bool send(UdpSendQueue&, Timestamp) override { return true; }
  Timestamp next_timeout() override { return due_.empty() ? kNever : due_.front().time; }
  void handle_timeouts(Timestamp now) override {
    for (; !due_.empty() && due_.front().time <= now; due_.pop_front()) {
      if (changes_port) ++from.port;
      server_.receive({kServerAddress, from}, Ecn::kNotEct, due_.front().payload, unused_, now);
    }
  }

  bool is_racing = false;
  bool relays = false;        // the server's packets, in its name
  bool changes_port = false;  // with each packet
  Duration lag = 5ms;
  SocketAddress from = kRacer;
  std::size_t bytes = 0;  // that came to him

 private:
  struct Due {
    Timestamp time;
    Packet payload;
  };
  ServerNode& server_;
  ClientNode& client_;
  std::deque<Due> due_;
  UdpSendQueue unused_{1};
};

}  // namespace qdt::testing
