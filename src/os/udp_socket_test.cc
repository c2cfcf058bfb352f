#include "os/udp_socket.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/clock.h"

namespace qdt::os {
namespace {

class CountingLogger final : public Logger {
 public:
  int lines = 0;

 private:
  void write(LogLevel, std::string_view) override { ++lines; }
};

SocketAddress loopback_v4(std::uint16_t port = 0) {
  return {IpAddress::v4(0x7f000001), port};
}
SocketAddress loopback_v6(std::uint16_t port = 0) {
  return {*IpAddress::parse("::1"), port};
}
SocketAddress any(std::uint16_t port = 0) {
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

TEST_F(UdpSocketTest, CarriesPayloadsBothWays) {
  UdpSocket server = open({.local = any()});
  const std::uint16_t port = server.local_address().port;
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = loopback_v4(port)});
  EXPECT_EQ(client.local_address().address, loopback_v4().address);

  queue("ping", {client.local_address(), loopback_v4(port)});
  EXPECT_EQ(client.send(out).sent_payloads, 1u);
  EXPECT_EQ(receive(server, 1), std::vector<std::string>{"ping"});
  EXPECT_EQ(last.path.remote, client.local_address());
  EXPECT_EQ(last.path.local, loopback_v4(port));  // the address it was sent to, not the wildcard

  queue("pong", last.path);
  EXPECT_EQ(server.send(out).sent_payloads, 1u);
  EXPECT_EQ(receive(client, 1), std::vector<std::string>{"pong"});
}

TEST_F(UdpSocketTest, TakesIpv6OnTheSameSocket) {
  UdpSocket server = open({.local = any()});
  const std::uint16_t port = server.local_address().port;
  UdpSocket client = open({.local = any(), .remote = loopback_v6(port)});
  queue("ping", {client.local_address(), loopback_v6(port)});
  client.send(out);
  EXPECT_EQ(receive(server, 1), std::vector<std::string>{"ping"});
  EXPECT_EQ(last.path.local, loopback_v6(port));

  queue("pong", last.path);
  server.send(out);
  EXPECT_EQ(receive(client, 1), std::vector<std::string>{"pong"});
}

TEST_F(UdpSocketTest, AnswersFromTheAddressThatWasAsked) {
  UdpSocket server = open({.local = any()});
  const std::uint16_t port = server.local_address().port;
  const SocketAddress second{IpAddress::v4(0x7f000002), port};
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = second});
  queue("ping", {client.local_address(), second});
  client.send(out);
  receive(server, 1);
  queue("pong", last.path);
  server.send(out);
  EXPECT_EQ(receive(client, 1), std::vector<std::string>{"pong"});  // connected: only from `second`
}

TEST_F(UdpSocketTest, CarriesEcnMarks) {
  for (const auto& address : {loopback_v4(), loopback_v6()}) {
    UdpSocket server = open({.local = any()});
    const SocketAddress to{address.address, server.local_address().port};
    UdpSocket client =
        open({.local = {address.address.is_v4() ? IpAddress{} : any().address, 0}, .remote = to});
    queue("marked", {client.local_address(), to}, Ecn::kEct0);
    client.send(out);
    receive(server, 1);
    EXPECT_EQ(last.ecn, Ecn::kEct0);
  }
}

TEST_F(UdpSocketTest, SendsABurstInOneCall) {
  UdpSocket server = open({.local = any()});
  const SocketAddress to = loopback_v4(server.local_address().port);
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = to});
  std::vector<std::string> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(std::string(1000, static_cast<char>('a' + i % 26)));
    queue(sent.back(), {client.local_address(), to});
  }
  sent.emplace_back("short");
  queue(sent.back(), {client.local_address(), to});
  const auto result = client.send(out);
  EXPECT_EQ(result.sent_payloads, 41u);
  EXPECT_EQ(result.calls, 1u);
  EXPECT_EQ(receive(server, 41), sent);
  EXPECT_TRUE(out.empty());
}

TEST_F(UdpSocketTest, WorksWithoutOffloads) {
  UdpSocket server = open({.local = any(), .offloads = {.gso = false, .gro = false}});
  const SocketAddress to = loopback_v4(server.local_address().port);
  UdpSocket client =
      open({.local = {IpAddress{}, 0}, .remote = to, .offloads = {.gso = false, .gro = false}});
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back(std::string(900, static_cast<char>('a' + i % 26)));
    queue(sent.back(), {client.local_address(), to});
  }
  const auto result = client.send(out);
  EXPECT_EQ(result.sent_payloads, 100u);
  EXPECT_EQ(result.calls, 100u);
  EXPECT_EQ(receive(server, 100), sent);
  EXPECT_EQ(bursts, 100);
}

TEST_F(UdpSocketTest, SwitchesEachOffloadOffAlone) {
  UdpSocket server = open({.local = any(), .offloads = {.gro = false}});
  const SocketAddress to = loopback_v4(server.local_address().port);
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = to, .offloads = {.gso = false}});
  const UdpPath there{client.local_address(), to}, back{to, client.local_address()};
  for (int i = 0; i < 10; ++i) queue("there", there);
  EXPECT_EQ(client.send(out).calls, 10u);
  EXPECT_EQ(receive(server, 10).size(), 10u);
  for (int i = 0; i < 10; ++i) queue("back", back);
  EXPECT_EQ(server.send(out).calls, 1u);
  bursts = 0;
  EXPECT_EQ(receive(client, 10).size(), 10u);
  EXPECT_EQ(bursts, 1);
}

TEST_F(UdpSocketTest, CountsWhatTheKernelRefuses) {
  UdpSocket client = open({.local = {IpAddress{}, 0}});
  // Broadcasts need SO_BROADCAST, which a tunnel never sets: EACCES, whoever asks.
  queue("lost", {{}, {IpAddress::v4(0xffffffff), 9}});
  const auto result = client.send(out);
  EXPECT_EQ(result.refused_payloads, 1u);
  EXPECT_TRUE(out.empty());
}

TEST_F(UdpSocketTest, SaysWhatToDoWhenThePortIsTaken) {
  UdpSocket first = open({.local = loopback_v4()});
  const auto second = UdpSocket::open({.local = first.local_address()}, logger);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("the port is in use"), std::string::npos);
}

TEST_F(UdpSocketTest, SharesAPortAmongShards) {
  UdpSocket first = open({.local = loopback_v4(), .is_shared = true});
  UdpSocket second = open({.local = first.local_address(), .is_shared = true});
  EXPECT_EQ(first.local_address(), second.local_address());
}

TEST_F(UdpSocketTest, SaysWhenTheAddressIsNotOurs) {
  const auto socket = UdpSocket::open({.local = {IpAddress::v4(0xc0000201), 443}}, logger);
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("no interface of this host"), std::string::npos);
}

}  // namespace
}  // namespace qdt::os
