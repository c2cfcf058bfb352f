#include "os/windows/kill_switch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/model_journal.h"
#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WindowsKillSwitchTest : public testing::Test {
 protected:
  void remove_tun() {
    std::erase_if(model_.host.interfaces, [](const Interface& one) { return one.is_tunnel(); });
  }
  std::vector<std::string> take_changes() { return std::exchange(model_.changes, {}); }

  NetworkModel model_ = NetworkModel::with_network();
  ModelLogger logger_;
  Upkeep upkeep_;
  WindowsKillSwitch kill_switch_{{.tun_name = "qdt0"}, model_.open(), logger_};
};

TEST_F(WindowsKillSwitchTest, ComesUpBeforeTheDeviceAndKnowsItOnceItIsThere) {
  const std::vector<Interface> with_tun = model_.host.interfaces;
  remove_tun();
  ASSERT_TRUE(kill_switch_.raise());
  EXPECT_THAT(take_changes(),
              ElementsAre("open filters QDT kill switch of qdt0", "set 20 filters 1"));
  kill_switch_.keep(upkeep_);
  EXPECT_THAT(take_changes(), IsEmpty());
  model_.host.interfaces = with_tun;
  kill_switch_.keep(upkeep_);
  EXPECT_THAT(take_changes(), ElementsAre("set 24 filters 1"));  // in one step: no gap
  EXPECT_THAT(logger_.text, testing::Not(HasSubstr("warning")));
  EXPECT_FALSE(upkeep_.has_repairs());
}

TEST_F(WindowsKillSwitchTest, ComesUpAgainWhenSomebodyRemovedIt) {
  ASSERT_TRUE(kill_switch_.raise());
  model_.host.filters.clear();
  kill_switch_.keep(upkeep_);
  EXPECT_EQ(model_.host.filters.size(), 1u);
  EXPECT_THAT(logger_.text, HasSubstr("somebody removed the kill switch; it is up again"));
  EXPECT_TRUE(upkeep_.has_repairs());
}

TEST_F(WindowsKillSwitchTest, SaysWhyItCannotComeUpAgain) {
  ASSERT_TRUE(kill_switch_.raise());
  model_.host.filters.clear();
  model_.calls = 0;
  model_.failing_call = 2;  // the first asks for the device
  kill_switch_.keep(upkeep_);
  EXPECT_THAT(upkeep_.fault, HasSubstr("raise the kill switch again: "));
  EXPECT_FALSE(upkeep_.has_repairs());
}

TEST_F(WindowsKillSwitchTest, GoesWhenLowered) {
  ASSERT_TRUE(kill_switch_.raise());
  kill_switch_.lower();
  EXPECT_TRUE(model_.host.filters.empty());
  EXPECT_FALSE(kill_switch_.outlives_process());
}

TEST_F(WindowsKillSwitchTest, LeavesNothingWhenItCannotComeUp) {
  for (int call = 1; call <= 3; ++call) {
    model_.calls = 0;
    model_.failing_call = call;
    WindowsKillSwitch other({.tun_name = "qdt0"}, model_.open(), logger_);
    const auto raised = other.raise();
    if (call == 1) {  // whether the device is there: it need not be
      EXPECT_TRUE(raised);
      continue;
    }
    ASSERT_FALSE(raised);
    EXPECT_THAT(raised.error().message, HasSubstr("raise the kill switch: "));
    EXPECT_TRUE(model_.host.filters.empty());
  }
}

TEST_F(WindowsKillSwitchTest, NeedsAnAdministrator) {
  model_.has_rights = false;
  const auto raised = kill_switch_.raise();
  ASSERT_FALSE(raised);
  EXPECT_THAT(raised.error().message, HasSubstr("needs administrator's rights"));
}

}  // namespace
}  // namespace qdt::os
