#include "os/linux/netlink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

const InterfaceAddress kLoopbackAddress{1, *IpAddress::parse("10.1.0.1"), 16};
const Route kLoopbackRoute{*Prefix::parse("10.2.0.0/16"), 1, kMainTable};
const Route kUnreachable{*Prefix::parse("2001:db8::/32"), 0, 7777};
const RoutingRule kRule{
    .is_v6 = true, .priority = 100, .table = 7777, .unless_mark = 5, .suppress_prefix_length = 8};

TEST(Netlink, FindsAndSetsADevice) {
  in_fresh_network([] {
    auto netlink = *Netlink::open();
    const Link found = *netlink.find_link("lo");
    EXPECT_EQ(found,
              (Link{.index = 1, .name = "lo", .is_up = true, .mtu = 65536, .queue_packets = 1000}));
    const Link wanted{.index = 1, .name = "lo", .is_up = false, .mtu = 1280, .queue_packets = 2000};
    EXPECT_EQ(*netlink.set_link(wanted), Change::kMade);
    EXPECT_EQ(*netlink.find_link(1), wanted);
    EXPECT_EQ(*netlink.set_link({.index = 99}), Change::kNotNeeded);
    EXPECT_EQ(netlink.find_link("eth7").error().message, "there is no network device eth7");
  });
}

TEST(Netlink, AddsWhatIsMissingAndDeletesWhatIsThere) {
  in_fresh_network([] {
    const std::string before = host_state();
    auto netlink = *Netlink::open();
    for (const auto wanted : {Change::kMade, Change::kNotNeeded}) {
      EXPECT_EQ(*netlink.add_address(kLoopbackAddress), wanted);
      EXPECT_EQ(*netlink.add_route(kLoopbackRoute), wanted);
      EXPECT_EQ(*netlink.add_route(kUnreachable), wanted);
      EXPECT_EQ(*netlink.add_rule(kRule), wanted);
    }
    EXPECT_THAT(shell("ip address"), HasSubstr("10.1.0.1/16"));
    EXPECT_THAT(shell("ip route"), HasSubstr("10.2.0.0/16 dev lo proto 81 scope link"));
    EXPECT_THAT(shell("ip -6 route show table 7777"), HasSubstr("unreachable 2001:db8::/32"));
    EXPECT_THAT(shell("ip -6 rule"), HasSubstr("100:\tnot from all fwmark 0x5 lookup 7777 "
                                               "suppress_prefixlength 8 proto 81"));
    for (const auto wanted : {Change::kMade, Change::kNotNeeded}) {
      EXPECT_EQ(*netlink.delete_rule(kRule), wanted);
      EXPECT_EQ(*netlink.delete_route(kUnreachable), wanted);
      EXPECT_EQ(*netlink.delete_route(kLoopbackRoute), wanted);
      EXPECT_EQ(*netlink.delete_address(kLoopbackAddress), wanted);
    }
    EXPECT_EQ(host_state(), before);
  });
}

TEST(Netlink, DeletesNobodyElsesRoutesAndRules) {
  in_fresh_network([] {
    auto netlink = *Netlink::open();
    shell(
        "ip route add 10.2.0.0/16 dev lo; "
        "ip -6 rule add not fwmark 5 table 7777 suppress_prefixlength 8 priority 100");
    const std::string before = host_state();
    EXPECT_EQ(*netlink.delete_route(kLoopbackRoute), Change::kNotNeeded);
    EXPECT_EQ(*netlink.delete_rule(kRule), Change::kNotNeeded);
    EXPECT_EQ(host_state(), before);
  });
}

TEST(Netlink, QuotesTheKernel) {
  in_fresh_network([] {
    auto netlink = *Netlink::open();
    const auto set = netlink.set_link({.index = 1, .name = "lo", .mtu = 4'000'000'000});
    ASSERT_FALSE(set);
    EXPECT_THAT(set.error().message, HasSubstr("set lo to MTU 4000000000"));
    const auto added = netlink.add_route({*Prefix::parse("10.2.0.0/16"), 99, kMainTable});
    ASSERT_FALSE(added);
    EXPECT_THAT(added.error().message, HasSubstr("No such device"));
  });
}

}  // namespace
}  // namespace qdt::os
