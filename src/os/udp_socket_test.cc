#include "os/udp_socket.h"

#include "os/udp_socket_fixture.h"

namespace qdt::os {
namespace {

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

}  // namespace
}  // namespace qdt::os
