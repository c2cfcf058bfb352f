#pragma once

// For tests only: sockets of this host, and what reaches them.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "os/clock.h"
#include "os/udp_socket.h"

namespace qdt::os {

class CountingLogger final : public Logger {
 public:
  int lines = 0;

 private:
  void write(LogLevel, std::string_view) override { ++lines; }
};

inline SocketAddress loopback_v4(std::uint16_t port = 0) {
  return {IpAddress::v4(0x7f000001), port};
}
inline SocketAddress loopback_v6(std::uint16_t port = 0) {
  return {*IpAddress::parse("::1"), port};
}
inline SocketAddress any(std::uint16_t port = 0) {
  return {*IpAddress::parse("::"), port};
}

class UdpSocketTest : public testing::Test {
 protected:
  UdpSocket open(const UdpSocket::Options& options) {
    auto socket = UdpSocket::open(options, logger);
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
  }

  // Payloads of `socket` until there are `count`, or 5 s have passed.
  std::vector<std::string> receive(UdpSocket& socket, std::size_t count) {
    auto poller = Poller::open();
    EXPECT_TRUE(poller->add(socket.poll_handle(), 1));
    std::vector<std::string> payloads;
    const Timestamp end = now() + 5s;
    while (payloads.size() < count && now() < end) {
      poller->wait(end, now());
      socket.receive(batch);
      for (const UdpBurst& burst : batch.bursts()) {
        last = burst;
        ++bursts;
        for_each_payload(burst, [&](Bytes payload) { payloads.emplace_back(as_text(payload)); });
      }
    }
    return payloads;
  }

  void queue(std::string_view text, const UdpPath& path, Ecn ecn = Ecn::kNotEct) {
    append(out.next_payload(), as_bytes(text));
    out.push(path, ecn, text.size());
  }

  CountingLogger logger;
  UdpReceiveBatch batch;
  UdpSendQueue out{256};
  UdpBurst last;
  int bursts = 0;
};

}  // namespace qdt::os
