// HostNetwork leaves nothing behind: after its end, after a crash, after a failure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/host_network_fixture.h"
#include "os/linux/nft_ruleset.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

TEST(HostNetwork, UndoesEverythingWhenDestroyed) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    EXPECT_NE(host_state(), host.before);
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, UndoesWhatACrashedProcessLeftWhenOpened) {
  in_fresh_network([] {
    Host host;
    host.network.reset();
    in_child([&] {
      host.open();
      change_everything(*host.network);
    });
    EXPECT_NE(host_state(), host.before);
    host.open();
    EXPECT_THAT(host.logger.text, HasSubstr("/etc/resolv.conf put back"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, KeepsACrashedProcessesTranslationUntilItIsReplaced) {
  in_fresh_network([] {
    Host host;
    host.network.reset();
    in_child([&] {
      host.open();
      change_everything(*host.network);
    });
    const std::string table = "table inet " + nat_table_name("qdt0");
    {
      const auto kept = open_host_network("qdt0", host.logger, LeftoverNat::kKept);
      ASSERT_TRUE(kept) << kept.error().message;
      EXPECT_THAT(host_state(), HasSubstr(table));
      EXPECT_THAT(host.logger.text, HasSubstr("/etc/resolv.conf put back"));
    }
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, CleansUpAfterACrashThatTookTheDeviceWithIt) {
  in_fresh_network([] {
    const std::string before = host_state();
    in_child([] {
      TestTun tun("qdt1");
      TestLogger logger;
      change_everything(*open_host_network("qdt1", logger)->release());
    });
    TestLogger logger;
    EXPECT_THAT(*clean_up_host_network("qdt7", logger), testing::IsEmpty());
    EXPECT_THAT(*clean_up_host_network("", logger),
                testing::Contains("nftables table inet qdt_qdt1 deleted"));
    EXPECT_EQ(host_state(), before);
    EXPECT_THAT(*clean_up_host_network("", logger), testing::IsEmpty());
  });
}

TEST(HostNetwork, UndoesWhatAProcessLeftThatUsedAnotherDevice) {
  in_fresh_network([] {
    const std::string before = host_state();
    in_child([] {
      TestTun tun("qdt1");
      TestLogger logger;
      change_everything(*open_host_network("qdt1", logger)->release());
    });
    TestLogger logger;
    open_host_network("qdt0", logger)->reset();
    EXPECT_EQ(host_state(), before);
  });
}

TEST(HostNetwork, IsRefusedToASecondOwner) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->enable_forwarding());
    const auto second = open_host_network("qdt0", host.logger);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message,
                HasSubstr("device qdt0 is in use by process " + std::to_string(::getpid())));
    EXPECT_THAT(*clean_up_host_network("", host.logger), testing::IsEmpty());
    EXPECT_EQ(read_text("/proc/sys/net/ipv4/ip_forward"), "1\n");
  });
}

TEST(HostNetwork, ChangesNothingWithoutTheDevice) {
  in_fresh_network([] {
    const std::string before = host_state();
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    for (const auto& result :
         {network->configure_tun(kInner, 24, 1350), network->route_everything_through_tunnel(),
          network->route_only(kRoutes), network->use_dns(std::vector{kInner})}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().message, "there is no network device qdt0");
    }
    network.reset();
    EXPECT_EQ(host_state(), before);
  });
}

TEST(HostNetwork, LeavesNothingHalfDoneWhereAnotherTunnelRoutesEverything) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    shell("ip route add default dev up0 table 5325908");
    const std::string before = host_state();
    const auto routed = host.network->route_everything_through_tunnel();
    ASSERT_FALSE(routed);
    EXPECT_THAT(routed.error().message, HasSubstr("another tunnel does so already"));
    EXPECT_EQ(host_state(), before);
  });
}

TEST(HostNetwork, TakesOverTheRulesOfACrashedProcessWhoseJournalIsLost) {
  in_fresh_network([] {
    const std::string before = host_state();
    in_child([] {
      TestTun tun("qdt0");
      TestLogger logger;
      HostNetwork* network = open_host_network("qdt0", logger)->release();
      expect_ok(network->configure_tun(kInner, 24, 1350));
      expect_ok(network->route_everything_through_tunnel());
    });
    shell("rm /run/qdt/*");
    in_child([] {
      TestTun tun("qdt0");
      TestLogger logger;
      const auto network = *open_host_network("qdt0", logger);
      expect_ok(network->configure_tun(kInner, 24, 1350));
      expect_ok(network->route_everything_through_tunnel());
    });
    write_text("/proc/sys/net/ipv4/conf/all/src_valid_mark", "0");  // lost with the journal
    EXPECT_EQ(host_state(), before);
  });
}

TEST(HostNetwork, LeavesNothingHalfDoneWhereTranslationIsRefused) {
  in_fresh_network([] {
    Host host;
    NatOptions options = kNat;
    options.external_interface = "no interface";
    const auto installed = host.network->install_nat(options);
    ASSERT_FALSE(installed);
    EXPECT_THAT(installed.error().message, HasSubstr("install address translation: "));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, LeavesNothingHalfDoneWhereTheMtuIsRefused) {
  in_fresh_network([] {
    Host host;
    const auto configured = host.network->configure_tun(kInner, 24, 20);
    ASSERT_FALSE(configured);
    EXPECT_THAT(configured.error().message, HasSubstr("qdt0: "));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

}  // namespace
}  // namespace qdt::os
