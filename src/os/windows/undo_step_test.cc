#include "os/windows/undo_step.h"

#include <gtest/gtest.h>

#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

const IpSettings kWas{
    .mtu = 65535, .has_automatic_metric = true, .metric = 5, .configures_itself = true};
const IpSettings kWrote{
    .mtu = 1400, .has_automatic_metric = false, .metric = 5, .configures_itself = false};

TEST(WindowsUndoStep, IsOneLine) {
  const UndoStep route =
      RemoveRoute{{net("203.0.113.5/32"), 18446744073709551615u, ip("192.168.1.1"), 20804}};
  EXPECT_EQ(to_line(route), "route 18446744073709551615 203.0.113.5/32 192.168.1.1 20804");
  const UndoStep dns = RestoreDns{7, IpFamily::kV6, {}, {ip("fd00::1"), ip("fd00::2")}};
  EXPECT_EQ(to_line(dns), "dns 7 v6 none fd00::1,fd00::2");
  const UndoStep settings = RestoreIpSettings{7, IpFamily::kV4, kWas, kWrote};
  EXPECT_EQ(to_line(settings), "settings 7 v4 65535 auto 5 ra 1400 fixed 5 still");
}

TEST(WindowsUndoStep, ComesBackFromItsLine) {
  const UndoStep steps[] = {
      RestoreIpSettings{7, IpFamily::kV6, kWas, kWrote}, RemoveAddress{{7, ip("fd00::2"), 128}},
      RemoveRoute{{net("::/1"), 7, ip("::"), 0}}, RestoreDns{7, IpFamily::kV4, {ip("9.9.9.9")}, {}},
      RemoveResolutionPolicy{"QDT-qdt0"}};
  for (const UndoStep& step : steps) EXPECT_EQ(parse_undo_step(to_line(step)), step);
}

TEST(WindowsUndoStep, RefusesWhatIsDamaged) {
  for (const std::string_view line :
       {"", "route", "route 7", "route 7 10.0.0.0/8 192.168.1.1", "route x 10.0.0.0/8 0.0.0.0 0",
        "route 7 10.0.0.1/8 0.0.0.0 0", "route 7 10.0.0.0/8 fe80::1 0",
        "route 7 10.0.0.0/8 0.0.0.0 0 more", "route -1 10.0.0.0/8 0.0.0.0 0",
        "route 18446744073709551616 10.0.0.0/8 0.0.0.0 0", "address 7 10.8.0.2 33",
        "address 7 10.8.0 32", "dns 7 v5 none none", "dns 7 v4 none 1.1.1.1,,2.2.2.2",
        "settings 7 v4 1400 auto 5 ra 1400 fixed 5", "settings 7 v4 1400 maybe 5 ra 1 auto 1 ra",
        "format C:"}) {
    EXPECT_FALSE(parse_undo_step(line)) << line;
  }
}

// The journal of an attacker is to lead to no other key of the registry.
TEST(WindowsUndoStep, RemovesNoPolicyButOurs) {
  for (const std::string_view line :
       {"policy Corp-1", "policy QDT-\\..\\..", "policy QDT-/x", "policy ", "policy QDT"}) {
    EXPECT_FALSE(parse_undo_step(line)) << line;
  }
}

TEST(WindowsUndoStep, CutsOfEveryLineAreDamaged) {
  const std::string line = to_line(RestoreIpSettings{7, IpFamily::kV4, kWas, kWrote});
  for (std::size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(parse_undo_step(line.substr(0, length))) << length;
  }
}

TEST(WindowsUndoStep, HasNothingToDoTwice) {
  NetworkModel model = NetworkModel::with_network();
  model.host.routes.push_back({net("10.0.0.0/8"), NetworkModel::kTun, ip("0.0.0.0"), 0});
  const auto calls = model.open();
  const UndoStep step = RemoveRoute{model.host.routes.back()};
  EXPECT_EQ(undo(step, *calls).value(), "route to 10.0.0.0/8 removed");
  EXPECT_EQ(undo(step, *calls).value(), "");
}

}  // namespace
}  // namespace qdt::os
