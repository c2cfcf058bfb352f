#include <gmock/gmock.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "os/linux/network_fixture.h"
#include "os/linux/refused_calls.h"
#include "os/udp_socket.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// A client and a server on the loopback device, which delivers within send().
class RefusedOffload : public testing::Test {
 protected:
  void open(const UdpOffloads& offloads = {}) {
    const SocketAddress address{IpAddress::v4(0x7f000001), 0};
    server.emplace(*UdpSocket::open({.local = address, .offloads = offloads}, logger));
    client.emplace(*UdpSocket::open(
        {.local = address, .remote = server->local_address(), .offloads = offloads}, logger));
  }

  UdpSocket::SendResult send(std::size_t payloads) {
    for (std::size_t i = 0; i < payloads; ++i) {
      std::ranges::fill(out.next_payload().first(1000), static_cast<std::uint8_t>(i));
      out.push({client->local_address(), server->local_address()}, Ecn::kNotEct, 1000);
    }
    return client->send(out);
  }

  // The first bytes of the payloads that arrived, and in `bursts` in how many pieces.
  std::string receive() {
    std::string firsts;
    bursts = 0;
    do {
      server->receive(batch);
      bursts += batch.bursts().size();
      for (const UdpBurst& burst : batch.bursts()) {
        for_each_payload(burst, [&](Bytes payload) { firsts += static_cast<char>(payload[0]); });
      }
    } while (!batch.bursts().empty());
    return firsts;
  }

  static std::string numbers(std::size_t count) {
    std::string text(count, '\0');
    std::ranges::generate(text, [next = '\0']() mutable { return next++; });
    return text;
  }

  void expect_segments_one_by_one(const std::string& error) {
    const auto first = send(40);
    EXPECT_EQ(first.sent_payloads, 40u);
    EXPECT_EQ(first.calls, 40u);
    EXPECT_TRUE(first.has_lost_gso);
    EXPECT_EQ(receive(), numbers(40));
    EXPECT_THAT(logger.text, HasSubstr("refuses UDP_SEGMENT (" + error + "); payloads are sent"));

    EXPECT_FALSE(send(40).has_lost_gso);
    EXPECT_EQ(receive(), numbers(40));
    EXPECT_EQ(count_lines(logger.text), 1u);
  }

  TestLogger logger;
  std::optional<UdpSocket> server, client;
  UdpSendQueue out{64};
  UdpReceiveBatch batch;
  std::size_t bursts = 0;
};

TEST_F(RefusedOffload, IsNoneHere) {
  open();
  const auto result = send(40);
  EXPECT_EQ(result.calls, 1u);
  EXPECT_FALSE(result.has_lost_gso);
  EXPECT_FALSE(server->has_lost_gro());
  EXPECT_EQ(receive(), numbers(40));
  EXPECT_EQ(bursts, 1u);
  EXPECT_EQ(logger.text, "");
}

TEST_F(RefusedOffload, SendsOneByOneAfterEinval) {
  open();
  // Without checksums the kernel cuts nothing.
  const int on = 1;
  ::setsockopt(static_cast<int>(client->poll_handle()), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
  expect_segments_one_by_one("Invalid argument");
}

TEST_F(RefusedOffload, SendsOneByOneAfterEio) {
  in_child([this] {
    open();
    refuse({SYS_sendmmsg, 2, 1}, EIO);  // a burst is one message; its 40 payloads are 32 and 8
    expect_segments_one_by_one("Input/output error");
  });
}

// EINVAL, too, but not for being segmented.
TEST_F(RefusedOffload, IsNotWhatASourceAddressThatHasGoneMeans) {
  open();
  auto roaming = UdpSocket::open({.local = {IpAddress::v4(0), 0}}, logger);
  const SocketAddress gone{IpAddress::v4(0xc6336477), 1};
  for (int i = 0; i < 3; ++i) {
    std::ranges::fill(out.next_payload().first(1000), std::uint8_t{0});
    out.push({gone, server->local_address()}, Ecn::kNotEct, 1000);
  }
  const auto result = roaming->send(out);
  EXPECT_EQ(result.refused_payloads, 3u);
  EXPECT_FALSE(result.has_lost_gso);
  EXPECT_EQ(logger.text, "");
}

TEST_F(RefusedOffload, ReceivesOneByOneWithoutUdpGro) {
  in_child([this] {
    refuse({SYS_setsockopt, 2, UDP_GRO}, ENOPROTOOPT);
    open();
    EXPECT_TRUE(server->has_lost_gro());
    send(40);
    EXPECT_EQ(receive(), numbers(40));
    EXPECT_EQ(bursts, 40u);
    EXPECT_THAT(logger.text, HasSubstr("refuses UDP_GRO (Protocol not available); payloads are"));
    EXPECT_EQ(count_lines(logger.text), 2u);  // each socket's
  });
}

TEST_F(RefusedOffload, IsNotTriedWhenItIsSwitchedOff) {
  in_child([this] {
    refuse({SYS_setsockopt, 2, UDP_GRO}, ENOPROTOOPT);
    open({.gso = false, .gro = false});
    EXPECT_EQ(send(40).calls, 40u);
    EXPECT_EQ(receive(), numbers(40));
    EXPECT_FALSE(server->has_lost_gro());
    EXPECT_EQ(logger.text, "");
  });
}

}  // namespace
}  // namespace qdt::os
