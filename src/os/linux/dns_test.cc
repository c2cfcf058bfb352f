#include "os/linux/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/host_network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

TEST(Dns, WritesResolvConfInPlaceAndPutsItBack) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("9.9.9.9")}));
    expect_ok(host.network->use_dns(
        std::vector{*IpAddress::parse("10.8.0.1"), *IpAddress::parse("fd00::1")}));
    EXPECT_EQ(read_text("/etc/resolv.conf"),
              "# Written by QDT for qdt0, which puts back the old content when it ends.\n"
              "options edns0\nnameserver 10.8.0.1\nnameserver fd00::1\n");
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(Dns, KnowsWhomAResolverOnThisHostAsks) {
  in_fresh_network([] {
    write_text("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    Host host;
    const NameServer local(*IpAddress::parse("127.0.0.1"));
    EXPECT_THAT(host.network->name_servers_outside(), testing::ElementsAre(local));
    shell("mkdir /run/dnsmasq; echo nameserver 192.0.2.99 >/run/dnsmasq/resolv.conf");
    EXPECT_THAT(host.network->name_servers_outside(),
                testing::ElementsAre(local, NameServer(*IpAddress::parse("192.0.2.99"))));
  });
}

TEST(Dns, GivesThemBackWhenNoneAreWantedAnyMore) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    expect_ok(host.network->use_dns(NameServerWish{}));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 192.0.2.53\n"));
    host.network->keep();
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 192.0.2.53\n"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(Dns, NeedsNoRecordWhereThereIsNoRoomForOne) {
  in_fresh_network([] {
    Host host;
    shell("mkdir /run/qdt/resolv.conf.layers");  // no file can be there
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1\n"));
    EXPECT_THAT(host.network->name_servers_outside(),
                testing::ElementsAre(NameServer(*IpAddress::parse("192.0.2.53"))));
    write_text("/etc/resolv.conf", "nameserver 192.0.2.99\n");
    host.network->keep();
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1\n"));
    host.network.reset();
    EXPECT_EQ(read_text("/etc/resolv.conf"), "nameserver 192.0.2.99\n");
  });
}

TEST(Dns, PutsTheUsersFileBackThoughSomebodyEmptiedRun) {
  for (const char* command : {"rm -rf /run/qdt/*", "rm -rf /run/qdt"}) {
    for (const bool is_seen : {true, false}) {
      in_fresh_network([&] {
        Host host;
        const std::string before = read_text("/etc/resolv.conf");
        expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
        shell(command);
        if (is_seen) host.network->keep();
        host.network.reset();
        EXPECT_EQ(read_text("/etc/resolv.conf"), before) << command;
      });
    }
  }
}

TEST(Dns, LeavesResolvConfAloneThatSomebodyElseHasChanged) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    write_text("/etc/resolv.conf", "nameserver 192.0.2.99\n");
    host.network.reset();
    EXPECT_EQ(read_text("/etc/resolv.conf"), "nameserver 192.0.2.99\n");
    EXPECT_THAT(host.logger.text, HasSubstr("somebody else has changed it"));
    EXPECT_EQ(shell("ls /run/qdt"), "lock\n");
  });
}

TEST(Dns, ForgetsNameServersThatItCannotWrite) {
  in_fresh_network([] {
    Host host;
    const int flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
    ASSERT_EQ(::mount("none", "/etc/resolv.conf", nullptr, flags, nullptr), 0);
    const auto set = host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")});
    ASSERT_FALSE(set);
    EXPECT_THAT(set.error().message, HasSubstr("/etc/resolv.conf: read-only"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(Dns, PrefersResolvconfWhereItIsInstalled) {
  in_fresh_network([] {
    Host host;
    write_text("/run/resolvconf-says", "");
    shell(
        "mkdir /run/bin; cat >/run/bin/resolvconf <<'END'\n#!/bin/sh\n"
        "echo \"$@\" >>/run/resolvconf-says; /bin/cat >>/run/resolvconf-says\nEND\n"
        "chmod 755 /run/bin/resolvconf");
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    EXPECT_THAT(read_text("/run/resolvconf-says"), HasSubstr("qdt0 -m 0 -x"));
    EXPECT_THAT(read_text("/run/resolvconf-says"), HasSubstr("nameserver 10.8.0.1\n"));
    host.network.reset();
    EXPECT_THAT(read_text("/run/resolvconf-says"), HasSubstr("-d "));
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(Dns, WritesResolvConfWhereResolvconfFails) {
  in_fresh_network([] {
    Host host;
    shell(
        "mkdir /run/bin; printf '#!/bin/sh\necho signature mismatch; exit 1\n' "
        ">/run/bin/resolvconf; chmod 755 /run/bin/resolvconf");
    expect_ok(host.network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    EXPECT_THAT(host.logger.text, HasSubstr("signature mismatch"));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

}  // namespace
}  // namespace qdt::os
