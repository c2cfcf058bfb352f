#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/host_network_fixture.h"
#include "os/linux/nftables.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

struct Case {
  const char* command;  ///< of somebody else
  HostPart part;        ///< that is put back
};

// The order of tables tells which was made last.
std::string sorted_state() {
  return shell(
      "ip -4 rule; ip -6 rule; ip -4 route show table all; ip -o address; ip -o link | sed "
      "'s/qdisc [a-z_]*//'; for table in $(nft list tables | sort | cut -d' ' -f3); do nft -s list "
      "table inet $table; done; cat /proc/sys/net/ipv4/ip_forward "
      "/proc/sys/net/ipv4/conf/all/src_valid_mark");
}

void expect_put_back(const Case& one) {
  SCOPED_TRACE(one.command);
  in_fresh_network([&] {
    Host host;
    change_everything(*host.network);
    host.network->keep();  // our own changes are none
    const std::string wanted = sorted_state();
    EXPECT_EQ(shell(one.command), "");
    EXPECT_NE(sorted_state(), wanted);
    const Upkeep upkeep = host.network->keep();
    EXPECT_EQ(sorted_state(), wanted);
    EXPECT_GT(upkeep.repairs[static_cast<std::size_t>(one.part)], 0u);
    EXPECT_EQ(upkeep.fault, "");
    EXPECT_THAT(host.logger.text, HasSubstr("somebody changed this host's network; put back: "));
    EXPECT_FALSE(host.network->keep().has_repairs());
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetworkKeep, PutsTheDeviceBack) {
  for (const char* command : {"ip link set qdt0 down", "ip link set qdt0 mtu 1300",
                              "ip link set qdt0 down; ip link set qdt0 up mtu 1400"}) {
    expect_put_back({command, HostPart::kLink});
  }
}

TEST(HostNetworkKeep, PutsAddressesBack) {
  expect_put_back({"ip address flush dev qdt0", HostPart::kAddress});
}

TEST(HostNetworkKeep, PutsRoutesBack) {
  for (const char* command : {"ip route delete 172.16.0.0/12", "ip route flush table 5325908",
                              "ip route replace default via 192.0.2.1 table 5325908"}) {
    expect_put_back({command, HostPart::kRoute});
  }
}

TEST(HostNetworkKeep, PutsRulesBack) {
  for (const char* command :
       {"ip rule delete priority 20805", "ip -6 rule delete priority 20804"}) {
    expect_put_back({command, HostPart::kRule});
  }
}

TEST(HostNetworkKeep, PutsTablesBack) {
  for (const char* command :
       {"nft flush ruleset", "nft delete table inet qdt_qdt0",
        "nft flush chain inet qdt_qdt0 postrouting", "nft 'table inet qdt_qdt0 { flags dormant; }'",
        "nft add chain inet qdt_qdt0 foreign"}) {
    expect_put_back({command, HostPart::kTable});
  }
}

TEST(HostNetworkKeep, PutsSettingsBack) {
  for (const char* command : {"echo 0 >/proc/sys/net/ipv4/ip_forward",
                              "echo 0 >/proc/sys/net/ipv4/conf/all/src_valid_mark"}) {
    expect_put_back({command, HostPart::kSysctl});
  }
}

TEST(HostNetworkKeep, FindsNothingToDoWhereNobodyChangesAnything) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(host.network->keep().has_repairs());
    EXPECT_THAT(host.logger.text, testing::Not(HasSubstr("put back: ")));
  });
}

TEST(HostNetworkKeep, NamesWhatItCannotPutBack) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    auto owner =
        NftOwner::run("delete table inet qdt_qdt0\nadd table inet qdt_qdt0 { flags owner; }\n");
    ASSERT_TRUE(owner) << owner.error().message;
    EXPECT_THAT(host.network->keep().fault, HasSubstr("put back nftables table inet qdt_qdt0: "));
    owner = fail("gone");
    EXPECT_EQ(host.network->keep().fault, "");
    EXPECT_THAT(shell("nft list table inet qdt_qdt0"), HasSubstr("masquerade"));
  });
}

TEST(HostNetworkKeep, TellsOfADeviceThatHasGone) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    EXPECT_FALSE(host.network->keep().lacks_device);
    EXPECT_EQ(shell("ip link delete qdt0"), "");
    EXPECT_TRUE(host.network->keep().lacks_device);
  });
}

TEST(HostNetworkKeep, GivesADeviceItsNameBack) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    EXPECT_EQ(shell("ip link set qdt0 down; ip link set qdt0 name other0"), "");
    const Upkeep upkeep = host.network->keep();
    EXPECT_GT(upkeep.repairs[static_cast<std::size_t>(HostPart::kDevice)], 0u);
    EXPECT_THAT(shell("ip -4 -o address show dev qdt0"), HasSubstr("10.8.0.2/24"));
  });
}

}  // namespace
}  // namespace qdt::os
