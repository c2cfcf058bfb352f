#include "control/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "control/user_api_fixture.h"
#include "control/user_text.h"
#include "users/contents_code.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using wire::HandshakeResult;

class GroupsTest : public UserApiFixture<Json> {};

TEST_F(GroupsTest, AddsChangesAndRemovesAGroup) {
  EXPECT_TRUE(good("GET", "/v1/groups")["groups"].empty());
  EXPECT_EQ(refused("DELETE", "/v1/groups/staff", "", 404), "there is no group staff");
  const auto staff = good("POST", "/v1/groups", R"({"name":"staff","max_sessions":2})");
  EXPECT_EQ(staff["max_sessions"], 2);
  EXPECT_EQ(staff["quota"], nullptr);
  EXPECT_EQ(good("POST", "/v1/groups/staff", R"({"quota":"1GB"})")["quota"], 1'000'000'000);
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  EXPECT_EQ(good("GET", "/v1/groups/staff")["users"], Json({"ann"}));
  EXPECT_EQ(good("GET", "/v1/groups")["groups"][0], good("GET", "/v1/groups/staff"));
  EXPECT_EQ(good("GET", "/v1/deeds")["deeds"][1]["what"], "group set staff quota=\"1GB\"");
  EXPECT_THAT(refused("DELETE", "/v1/groups/staff", ""), HasSubstr("ann among them"));
  good("POST", "/v1/users/ann", R"({"group":"none"})");
  EXPECT_TRUE(good("DELETE", "/v1/groups/staff")["users"].empty());
  EXPECT_EQ(refused("GET", "/v1/groups/staff", "", 404), "there is no group staff");
}

TEST_F(GroupsTest, ShowsWhatAUserHasByItsGroup) {
  good("POST", "/v1/groups", R"({"name":"staff","max_sessions":2,"max_devices":5})");
  const auto ann = good("POST", "/v1/users", R"({"name":"ann","group":"staff","max_devices":3})");
  EXPECT_EQ(ann["group"], "staff");
  EXPECT_EQ(ann["max_sessions"], 2);
  EXPECT_EQ(ann["max_devices"], 3);
  EXPECT_EQ(ann["from_group"], Json({"max_sessions"}));
  EXPECT_EQ(good("GET", "/v1/users/ann"), ann);
  EXPECT_EQ(good("GET", "/v1/users")["users"][0], ann);
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"max_devices":null})")["max_devices"], 5);
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"group":null})")["max_devices"], nullptr);
}

TEST_F(GroupsTest, ShowsAQuotaThatComesByAGroup) {
  good("POST", "/v1/groups", R"({"name":"staff","quota":100,"quota_reset_day":15})");
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  const auto id = users::decode_contents((*api_.contents_unless(0))->contents)->users[0].id;
  ASSERT_TRUE(api_.count({.days = {{.user = id, .day = 20261130, .node = "a", .bytes = 100}}}));
  const auto ann = good("GET", "/v1/users/ann");
  EXPECT_EQ(ann["state"], "over_quota");
  EXPECT_EQ(ann["quota_used"], 100);
  EXPECT_EQ(ann["quota_resets"], "2026-12-15T00:00:00Z");
  EXPECT_EQ(ann["from_group"], Json({"quota", "quota_reset_day", "quota_action"}));
  EXPECT_EQ(good("GET", "/v1/users")["users"][0], ann);
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"quota":101})")["state"], "enabled");
  EXPECT_EQ(good("DELETE", "/v1/users/ann")["quota_used"], 100);
}

TEST_F(GroupsTest, EnrolsNoMoreDevicesThanItsGroupAllows) {
  good("POST", "/v1/groups", R"({"name":"staff","max_devices":1})");
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"a","token":true})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  const auto ann = users::decode_contents((*api_.contents_unless(0))->contents)->users[0];
  EXPECT_EQ(api_.enrol({.ticket = ann.tickets[0].id, .key = {1}}),
            HandshakeResult::kTooManyDevices);
}

TEST_F(GroupsTest, RefusesWhatIsNoGroup) {
  good("POST", "/v1/groups", R"({"name":"staff"})");
  refuses("/v1/groups", "{}", "name is missing");
  refuses("/v1/groups", R"({"name":"staff"})", "there is a group staff already");
  refuses("/v1/groups", R"({"name":"none"})", "take another name");
  refuses("/v1/groups", R"({"name":"a b"})", "name: \"a b\"");
  refuses("/v1/groups", R"({"name":"x","expires":"1h"})", "\"expires\" is not known here");
  refuses("/v1/groups/staff", "{}", "nothing to set");
  refuses("/v1/groups/staff", R"({"max_devices":0})", "too little");
  refuses("/v1/groups/staff", R"({"quota_reset_day":2})", "there is no quota here");
  refuses("/v1/users", R"({"name":"ann","group":"guests"})", "there is no group guests");
  refuses("/v1/users", R"({"name":"ann","group":"a b"})", "group: \"a b\"");
  EXPECT_THAT(refused("POST", "/v1/groups/x", R"({"quota":1})", 404), HasSubstr("no group x"));
  EXPECT_TRUE(good("GET", "/v1/users")["users"].empty());
}

TEST_F(GroupsTest, TellsAPersonWhatComesByAGroup) {
  good("POST", "/v1/groups", R"({"name":"staff","quota":100,"max_sessions":2})");
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  const std::string ann = *describe_user(ask("GET", "/v1/users/ann").body);
  EXPECT_THAT(ann, HasSubstr("in the group staff\nat most 2 sessions by its group\n"
                             "quota of 100 B a month by its group, of which 0 B are used"));
  EXPECT_THAT(*describe_users(ask("GET", "/v1/users").body), HasSubstr("ann   enabled  staff"));
}

}  // namespace
}  // namespace qdt::control
