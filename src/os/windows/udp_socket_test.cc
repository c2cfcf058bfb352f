#include "os/udp_socket.h"

#include "os/udp_socket_fixture.h"
#include "os/windows/poll_handle.h"

namespace qdt::os {
namespace {

using WindowsUdpSocket = UdpSocketTest;

// Wine, and Windows before 10 2004, cannot cut what is sent: then it says so, once.
TEST_F(WindowsUdpSocket, SendsABurstInOneCallOrSaysThatItCannot) {
  UdpSocket server = open({.local = any()});
  const SocketAddress to = loopback_v4(server.local_address().port);
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = to});
  for (const bool is_first : {true, false}) {
    std::vector<std::string> sent;
    for (int i = 0; i < 41; ++i) {
      sent.push_back(std::string(i == 40 ? 5 : 1000, static_cast<char>('a' + i % 26)));
      queue(sent.back(), {client.local_address(), to});
    }
    const auto result = client.send(out);
    EXPECT_EQ(result.sent_payloads, 41u);
    const bool has_one_call = result.calls == 1 && !result.has_lost_gso;
    EXPECT_TRUE(has_one_call || (result.calls == 41 && result.has_lost_gso == is_first));
    EXPECT_EQ(receive(server, 41), sent);
  }
}

TEST_F(WindowsUdpSocket, LogsEachOffloadThatIsMissing) {
  const UdpSocket socket = open({.local = loopback_v4()});
  EXPECT_EQ(logger.lines > 0, socket.has_lost_gro());
  logger.lines = 0;
  open({.local = loopback_v4(), .offloads = {.gso = false, .gro = false}});
  EXPECT_EQ(logger.lines, 0);
}

// Payloads that one receive() leaves are reported again.
TEST_F(WindowsUdpSocket, ReportsWhatIsLeft) {
  UdpSocket server = open({.local = any()});
  const SocketAddress to = loopback_v4(server.local_address().port);
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = to, .offloads = {.gso = false}});
  for (int i = 0; i < 100; ++i) queue("payload", {client.local_address(), to});
  EXPECT_EQ(client.send(out).sent_payloads, 100u);
  EXPECT_EQ(receive(server, 100).size(), 100u);
  auto poller = Poller::open();
  ASSERT_TRUE(poller->add(server.poll_handle(), 1));
  server.receive(batch);
  EXPECT_TRUE(poller->wait(now(), now()).empty());
}

TEST_F(WindowsUdpSocket, IsWritableAtOnceWhenItsEventIsSet) {
  UdpSocket server = open({.local = any()});
  auto poller = Poller::open();
  ASSERT_TRUE(poller->add(server.poll_handle(), 1));
  server.receive(batch);
  poller->watch_writable(server.poll_handle(), 1, true);
  EXPECT_TRUE(poller->wait(now(), now()).empty());
  ::SetEvent(event_of(server.poll_handle()));
  const auto events = poller->wait(now(), now());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].is_writable);
}

TEST_F(WindowsUdpSocket, OutlivesAPeerThatIsNotThere) {
  UdpSocket server = open({.local = loopback_v4()});
  std::uint16_t closed = 0;
  {
    const UdpSocket gone = open({.local = loopback_v4()});
    closed = gone.local_address().port;
  }
  for (int i = 0; i < 3; ++i) {
    queue("lost", {server.local_address(), loopback_v4(closed)});
    server.send(out);
    server.receive(batch);
    EXPECT_TRUE(batch.bursts().empty());
  }
  UdpSocket client = open({.local = {IpAddress{}, 0}, .remote = server.local_address()});
  queue("ping", {client.local_address(), server.local_address()});
  client.send(out);
  EXPECT_EQ(receive(server, 1), std::vector<std::string>{"ping"});
}

TEST_F(WindowsUdpSocket, CannotShareAPort) {
  const auto socket = UdpSocket::open({.local = loopback_v4(), .is_shared = true}, logger);
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("send_workers: 1"), std::string::npos);
}

}  // namespace
}  // namespace qdt::os
