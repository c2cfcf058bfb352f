#include "os/link_monitor.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "os/host_network.h"
#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

const SocketAddress kFar{IpAddress::v4(0x08080808), 443};

LinkMonitor open_monitor() {
  auto monitor = LinkMonitor::open("qdt0");
  EXPECT_TRUE(monitor) << monitor.error().message;
  return std::move(*monitor);
}

bool is_readable(const LinkMonitor& monitor) {
  pollfd poll{.fd = static_cast<int>(monitor.poll_handle()), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) == 1;
}

// Whether what `command` does is reported. The kernel has queued it when the command ends.
bool reports(LinkMonitor& monitor, const std::string& command) {
  EXPECT_EQ(shell(command), "");
  return monitor.take();
}

void make_eth0() {
  ASSERT_EQ(shell("ip link add eth0 type veth peer eth1; ip link set eth1 up; "
                  "ip link set eth0 addrgenmode none up; "  // an address of its own would come late
                  "ip address add 192.0.2.1/24 dev eth0; "
                  "ip route add default via 192.0.2.254"),
            "");
  // The kernel says later that the two have a carrier: up to a second, and longer under load.
  EXPECT_EQ(
      shell("for link in eth0 eth1; do for i in $(seq 200); do ip -o link show $link | grep -q "
            "'state UP' && break; sleep 0.05; done; done"),
      "");
}

TEST(LinkMonitor, SaysNothingWhileNothingChanges) {
  in_fresh_network([] {
    make_eth0();
    LinkMonitor monitor = open_monitor();
    EXPECT_FALSE(is_readable(monitor));
    EXPECT_FALSE(monitor.take());
  });
}

TEST(LinkMonitor, ReportsLinksAddressesRoutesAndRules) {
  in_fresh_network([] {
    make_eth0();
    LinkMonitor monitor = open_monitor();
    for (const char* command :
         {"ip address add 198.51.100.7/24 dev eth0", "ip address delete 198.51.100.7/24 dev eth0",
          "ip route replace default via 192.0.2.253", "ip route delete default",
          "ip -6 address add 2001:db8::1/64 dev eth0 nodad",
          "ip -6 route add default via 2001:db8::fe", "ip rule add fwmark 7 table 7",
          "ip link set eth1 down", "ip link set eth1 up", "ip link set eth0 down",
          "ip link delete eth0"}) {
      EXPECT_TRUE(reports(monitor, command)) << command;
      EXPECT_FALSE(monitor.take()) << "once only: " << command;
    }
  });
}

TEST(LinkMonitor, IsReadableUntilItIsAsked) {
  in_fresh_network([] {
    make_eth0();
    LinkMonitor monitor = open_monitor();
    EXPECT_EQ(shell("ip address add 198.51.100.7/24 dev eth0"), "");
    EXPECT_TRUE(is_readable(monitor));
    EXPECT_TRUE(monitor.take());
    EXPECT_FALSE(is_readable(monitor));
  });
}

TEST(LinkMonitor, TellsOfManyChangesOnce) {
  in_fresh_network([] {
    make_eth0();
    LinkMonitor monitor = open_monitor();
    // More than a socket's buffer holds.
    EXPECT_TRUE(reports(monitor,
                        "for i in $(seq 5000); do echo route add 10.$((i / 250)).$((i % 250)).0/24 "
                        "via 192.0.2.9; done | ip -batch -"));
    EXPECT_FALSE(monitor.take());
    EXPECT_TRUE(reports(monitor, "ip route delete default"));
  });
}

TEST(LinkMonitor, IgnoresTheTunnelAndWhatWeDo) {
  in_fresh_network([] {
    make_eth0();
    LinkMonitor monitor = open_monitor();
    TestLogger logger;
    {
      const TestTun tun("qdt0");
      const auto network = open_host_network("qdt0", logger);
      ASSERT_TRUE(network) << network.error().message;
      ASSERT_TRUE((*network)->configure_tun(*IpAddress::parse("10.8.0.2"), 24, 1350));
      ASSERT_TRUE((*network)->route_everything_through_tunnel());
      EXPECT_FALSE(monitor.take());
      EXPECT_FALSE(reports(monitor, "ip route add 203.0.113.0/24 dev qdt0"));
    }
    EXPECT_FALSE(monitor.take()) << "nor its end";
    EXPECT_TRUE(reports(monitor, "ip route delete default"));
  });
}

TEST(SourceAddress, IsTheOneOfTheRoute) {
  in_fresh_network([] {
    make_eth0();
    EXPECT_EQ(source_address(kFar, 0)->to_string(), "192.0.2.1");
    EXPECT_EQ(shell("ip address add 198.51.100.7/24 dev eth0; "
                    "ip route replace default via 198.51.100.1"),
              "");
    EXPECT_EQ(source_address(kFar, 0)->to_string(), "198.51.100.7");
  });
}

TEST(SourceAddress, LooksPastTheTunnel) {
  in_fresh_network([] {
    make_eth0();
    TestLogger logger;
    const TestTun tun("qdt0");
    const auto network = open_host_network("qdt0", logger);
    ASSERT_TRUE((*network)->configure_tun(*IpAddress::parse("10.8.0.2"), 32, 1350));
    ASSERT_TRUE((*network)->route_everything_through_tunnel());
    EXPECT_EQ(source_address(kFar, 0)->to_string(), "10.8.0.2");
    EXPECT_EQ(source_address(kFar, kTunnelMark)->to_string(), "192.0.2.1");
  });
}

TEST(SourceAddress, IsThereForIpv6) {
  in_fresh_network([] {
    make_eth0();
    const SocketAddress far{*IpAddress::parse("2001:db8:9::1"), 443};
    EXPECT_FALSE(source_address(far, 0));
    EXPECT_EQ(shell("ip -6 address add 2001:db8::1/64 dev eth0 nodad; "
                    "ip -6 route add default via 2001:db8::fe"),
              "");
    EXPECT_EQ(source_address(far, kTunnelMark)->to_string(), "2001:db8::1");
  });
}

TEST(SourceAddress, SaysThatThereIsNoWay) {
  in_fresh_network([] {
    const auto address = source_address(kFar, kTunnelMark);
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().message, "look for the way to 8.8.8.8: Network is unreachable");
  });
}

}  // namespace
}  // namespace qdt::os
