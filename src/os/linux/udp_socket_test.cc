#include "os/udp_socket.h"

#include "os/udp_socket_fixture.h"

// Behaviour of Linux that Windows, or Wine, does not share.

namespace qdt::os {
namespace {

using LinuxUdpSocket = UdpSocketTest;

TEST_F(LinuxUdpSocket, AnswersFromTheAddressThatWasAsked) {
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

TEST_F(LinuxUdpSocket, CarriesEcnMarks) {
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

TEST_F(LinuxUdpSocket, SendsABurstInOneCall) {
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

TEST_F(LinuxUdpSocket, SwitchesEachOffloadOffAlone) {
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

TEST_F(LinuxUdpSocket, SharesAPortAmongShards) {
  UdpSocket first = open({.local = loopback_v4(), .is_shared = true});
  UdpSocket second = open({.local = first.local_address(), .is_shared = true});
  EXPECT_EQ(first.local_address(), second.local_address());
}

TEST_F(LinuxUdpSocket, SaysWhenTheAddressIsNotOurs) {
  const auto socket = UdpSocket::open({.local = {IpAddress::v4(0xc0000201), 443}}, logger);
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("no interface of this host"), std::string::npos);
}

}  // namespace
}  // namespace qdt::os
