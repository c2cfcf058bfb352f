#include "control/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/user_api_fixture.h"
#include "users/contents_code.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

class UsersTest : public UserApiFixture<Json> {};

TEST_F(UsersTest, GivesAUserRates) {
  const auto ann = good("POST", "/v1/users", R"({"name":"ann","up":"20mbit"})");
  EXPECT_EQ(ann["up"], 20'000'000);
  EXPECT_EQ(ann["down"], nullptr);
  const auto other = good("POST", "/v1/users/ann", R"({"up":"none","down":"1.5gbit"})");
  EXPECT_EQ(other["up"], nullptr);
  EXPECT_EQ(other["down"], 1'500'000'000);
}

TEST_F(UsersTest, AddsChangesAndRemovesAUser) {
  const auto ann = good("POST", "/v1/users", R"({"name":"ann","expires":"30d","max_sessions":2})");
  EXPECT_EQ(ann["state"], "enabled");
  EXPECT_EQ(ann["expires"], "2026-12-30T08:22:14Z");
  EXPECT_EQ(ann["max_sessions"], 2);
  EXPECT_EQ(ann["max_devices"], nullptr);
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"enabled":false})")["state"], "disabled");
  EXPECT_EQ(
      good("POST", "/v1/users/ann", R"({"enabled":true,"max_sessions":"none"})")["max_sessions"],
      nullptr);
  now_ += 31 * 86400;
  EXPECT_EQ(good("GET", "/v1/users/ann")["state"], "expired");
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"expires":null})")["state"], "enabled");
  EXPECT_EQ(good("DELETE", "/v1/users/ann")["name"], "ann");
  EXPECT_EQ(refused("GET", "/v1/users/ann", "", 404), "there is no user ann");
}

TEST_F(UsersTest, WritesDownWhoChangedWhat) {
  good("POST", "/v1/users", R"({"name":"ann","expires":"2026-12-31"})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"phone","token":true})");
  const auto deeds = good("GET", "/v1/deeds")["deeds"];
  ASSERT_EQ(deeds.size(), 2u);
  EXPECT_EQ(deeds[1], Json({{"at", "2026-11-30T08:22:14Z"},
                            {"who", "root"},
                            {"what", "user add ann expires=\"2026-12-31\""}}));
  EXPECT_EQ(deeds[0]["what"], "device add ann phone");
}

TEST_F(UsersTest, SetsAQuota) {
  const auto set = [&](const std::string& body) { return good("POST", "/v1/users/ann", body); };
  EXPECT_EQ(good("POST", "/v1/users", R"({"name":"ann","quota":"100GB"})")["quota"],
            100'000'000'000);
  EXPECT_EQ(set(R"({"quota_reset_day":28})")["quota_resets"], "2026-12-28T00:00:00Z");
  const auto ann = set(R"({"quota":"500GiB","quota_action":"block"})");
  EXPECT_EQ(ann["quota"], 536'870'912'000);
  EXPECT_EQ(ann["quota_reset_day"], 28) << "it stays";
  EXPECT_EQ(ann["quota_action"], "block");
  EXPECT_EQ(set(R"({"quota_action":"1mbit"})")["quota_action"], "1mbit");
  EXPECT_EQ(set(R"({"quota":12345})")["quota"], 12'345);
  EXPECT_EQ(set(R"({"quota_reset_day":null})")["quota_reset_day"], 1);
  EXPECT_EQ(set(R"({"quota":null})")["quota"], nullptr);
  EXPECT_EQ(good("GET", "/v1/users/ann")["quota_resets"], nullptr);
}

TEST_F(UsersTest, RefusesWhatIsNoQuota) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto refuses = [&](const std::string& body, const char* why) {
    EXPECT_THAT(refused("POST", "/v1/users/ann", body), HasSubstr(why)) << body;
  };
  refuses(R"({"quota_reset_day":2})", "there is no quota");
  refuses(R"({"quota":"none","quota_action":"block"})", "there is no quota");
  refuses(R"({"quota":"much"})", "is no size");
  refuses(R"({"quota":"-1gb"})", "is no size");
  refuses(R"({"quota":0})", "too little");
  refuses(R"({"quota":"2000tb"})", "too much");
  refuses(R"({"quota":true})", "expected a text");
  refuses(R"({"quota":"1gb","quota_reset_day":29})", "too much");
  refuses(R"({"quota":"1gb","quota_reset_day":0})", "too little");
  refuses(R"({"quota":"1gb","quota_action":"slow"})", "or block, until the reset day");
  EXPECT_EQ(good("GET", "/v1/users/ann")["quota"], nullptr);
}

TEST_F(UsersTest, ShowsHowMuchOfAQuotaIsUsed) {
  good("POST", "/v1/users", R"({"name":"ann","quota":100,"quota_reset_day":15})");
  const auto ann = users::decode_contents((*api_.contents_unless(0))->contents)->users[0].id;
  const auto count = [&](int day, std::uint64_t bytes) {
    ASSERT_TRUE(api_.count({.days = {{.user = ann, .day = day, .node = "a", .bytes = bytes}}}));
  };
  count(20261114, 1000);
  count(20261115, 99);
  EXPECT_EQ(good("GET", "/v1/users/ann")["quota_used"], 99);
  EXPECT_EQ(good("GET", "/v1/users")["users"][0]["state"], "enabled");
  count(20261130, 1);
  EXPECT_EQ(good("GET", "/v1/users/ann")["state"], "over_quota");
  EXPECT_EQ(*api_.quota_uses(),
            (std::vector<users::QuotaUse>{{.user = ann, .begin = 1794700800, .bytes = 100}}));
  EXPECT_EQ(good("POST", "/v1/users/ann", R"({"quota":101})")["state"], "enabled");
  now_ += 15 * 86400;
  EXPECT_EQ(good("GET", "/v1/users/ann")["quota_used"], 0);
}

TEST_F(UsersTest, ShowsWhatDevicesHaveCarriedAndWhenTheyWereSeen) {
  const auto id_of = [](const Json& told) {
    return std::stoull(told["device"]["id"].get<std::string>(), nullptr, 16);
  };
  const users::Usage row{.period = 202611, .node = "a", .epoch = 1};
  EXPECT_EQ(api_.count({.usage = {row}}).error().code, ErrorCode::kNotFound) << "there is no file";
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto phone =
      id_of(good("POST", "/v1/devices", R"({"user":"ann","name":"a","token":true})"));
  const auto gone = id_of(good("POST", "/v1/devices", R"({"user":"ann","name":"b","token":true})"));
  const auto ann = users::decode_contents((*api_.contents_unless(0))->contents)->users[0].id;
  users::Counts counts;
  const auto add = [&](std::uint64_t user, std::uint64_t device, std::uint64_t epoch) {
    users::Usage one = row;
    one.user = user;
    one.device = device;
    one.epoch = epoch;
    one.up = 1;
    one.down = 10;
    counts.usage.push_back(one);
  };
  add(0, 0, 1);
  add(ann, phone, 1);
  add(ann, phone, 2);
  add(ann, gone, 1);
  counts.sightings = {{.device = phone, .at = kNow - 60}};
  ASSERT_TRUE(api_.count(counts));
  good("DELETE", "/v1/devices/" + wire::session_id_text(gone));

  const auto shown = good("GET", "/v1/users/ann");
  EXPECT_EQ(shown["month"], "2026-11");
  EXPECT_EQ(shown["usage"], Json::parse(R"({"up":3,"down":30})"));
  EXPECT_EQ(shown["devices"][0]["usage"], Json::parse(R"({"up":2,"down":20})"));
  EXPECT_EQ(shown["devices"][0]["last_seen"], "2026-11-30T08:21:14Z");
  EXPECT_EQ(good("GET", "/v1/users")["users"][0], shown);

  const auto usage = good("GET", "/v1/usage")["users"];
  ASSERT_EQ(usage.size(), 2u);
  EXPECT_EQ(usage[0]["name"], "default");
  EXPECT_EQ(usage[0]["down"], 10);
  EXPECT_EQ(usage[1]["down"], 30);
  EXPECT_EQ(usage[1]["devices"].size(), 2u);
  EXPECT_EQ(good("GET", "/v1/usage/2026-11")["users"], usage);
  EXPECT_EQ(good("GET", "/v1/usage/2026-12")["users"].size(), 1u) << "ann has used nothing";
  EXPECT_THAT(refused("GET", "/v1/usage/2026-13", ""), HasSubstr("it is no month"));
}

}  // namespace
}  // namespace qdt::control
