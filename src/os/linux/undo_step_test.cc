#include "os/linux/undo_step.h"

#include <gtest/gtest.h>

namespace qdt::os {
namespace {

TEST(UndoStep, SurvivesTheRoundTrip) {
  const IpAddress inner = *IpAddress::parse("10.8.0.2");
  const UndoStep steps[] = {
      RestoreSysctl{"net/ipv4/ip_forward", "0", "1"},
      RestoreForwarding{.is_v6 = true, .forwarding = {"lo"}, .closed = {"eth0", "caf\xe9"}},
      RestoreForwarding{.takes_advertisements = {"eth0"}, .rules = {"ip nat 17"}},
      RestoreLink{{.index = 3, .name = "qdt0", .mtu = 1500, .queue_packets = 500},
                  {.index = 3, .name = "qdt0", .is_up = true, .mtu = 1350, .queue_packets = 1000}},
      DeleteAddress{{3, inner, 24}},
      DeleteRoute{{*Prefix::parse("::/0"), 0, 5325908, 2048}},
      DeleteRoute{{.destination = *Prefix::parse("10.0.0.0/8"), .goes_on = true}},
      DeleteRule{{.is_v6 = true, .priority = 1, .table = 2, .unless_mark = 3}},
      DeleteRule{{.priority = 1, .suppress_prefix_length = 0}},
      DeleteNftTable{"qdt_my-vpn.1/outer"},
      RevertResolved{3},
      DeleteResolvconfRecord{"tun.qdt0"},
      RemoveResolvConfLayer{"qdt0.4026531840.undo"},
      RestoreResolvConf{std::nullopt, "new"},
      RestoreResolvConf{"caf\xe9 \x80\xff\n\"\\", "new\n"},
  };
  for (const UndoStep& step : steps) {
    const std::string line = to_json(step);
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    const auto parsed = parse_undo_step(line);
    ASSERT_TRUE(parsed) << line;
    EXPECT_EQ(*parsed, step) << line;
  }
}

TEST(UndoStep, IsNotReadFromADamagedLine) {
  const std::string whole = to_json(DeleteAddress{{3, *IpAddress::parse("10.8.0.2"), 24}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_undo_step(whole.substr(0, length)));
  }
  for (const char* line : {"7", "{}", R"({"undo":"reboot"})", R"({"undo":"nft table"})",
                           R"({"undo":"address","link":1,"address":"10.8.0.2","length":33})",
                           R"({"undo":"address","link":1,"address":"x","length":24})",
                           R"({"undo":"route","link":1,"destination":"10.8.0.1/24","table":1})"}) {
    EXPECT_FALSE(parse_undo_step(line)) << line;
  }
}

TEST(UndoStep, StaysWithinTheRealmOfItsKind) {
  for (const char* line :
       {R"({"undo":"sysctl","name":"kernel/core_pattern","was":"|/x","wrote":"core"})",
        R"({"undo":"sysctl","name":"net/../kernel/core_pattern","was":"|/x","wrote":"core"})",
        R"({"undo":"nft table","name":"filter"})",
        R"({"undo":"nft table","name":"qdt_a; flush ruleset"})",
        R"({"undo":"resolvconf","record":"-u"})"}) {
    EXPECT_FALSE(parse_undo_step(line)) << line;
  }
}

}  // namespace
}  // namespace qdt::os
