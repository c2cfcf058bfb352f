#include "control/user_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "control/user_api_fixture.h"
#include "users/contents_code.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

class UserApiTest : public UserApiFixture<Json> {};

TEST_F(UserApiTest, HasNoUsersAndMakesNoFileAtFirst) {
  EXPECT_TRUE(good("GET", "/v1/users")["users"].empty());
  EXPECT_TRUE(good("GET", "/v1/deeds")["deeds"].empty());
  EXPECT_EQ(refused("GET", "/v1/users/ann", "", 404), "there is no user ann");
  EXPECT_EQ(refused("DELETE", "/v1/users/ann", "", 404), "there is no user ann");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/a.db"));
}

TEST_F(UserApiTest, HandsOutTheStoreOnceItHasChanged) {
  EXPECT_EQ(*api_.contents_unless(0), std::nullopt);
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto first = api_.contents_unless(0);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(users::decode_contents((*first)->contents)->users.at(0).name, "ann");
  EXPECT_EQ(*api_.contents_unless((*first)->number), std::nullopt);
  good("POST", "/v1/users/ann", R"({"enabled":false})");
  EXPECT_NE((*api_.contents_unless((*first)->number))->number, (*first)->number);
}

// Each is refused with words that name the value, and nothing is changed.
TEST_F(UserApiTest, RefusesWhatIsWrong) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto before = ask("GET", "/v1/users").body;
  const std::vector<std::tuple<std::string, std::string, std::string>> bad = {
      {"/v1/users", "", "name is missing"},
      {"/v1/users", "[]", "no object"},
      {"/v1/users", "{", "no object"},
      {"/v1/users", R"({"name":"a b"})", "name: \"a b\""},
      {"/v1/users", R"({"name":{}})", "name: expected a text"},
      {"/v1/users", R"({"name":"ann"})", "there is a user ann already"},
      {"/v1/users", R"({"name":"default"})", "take another name"},
      {"/v1/users", R"({"name":"x","colour":"red"})",
       "\"colour\" is not known here; there are name, enabled"},
      {"/v1/users", R"({"name":"x","expires":"yesterday"})", "expires: \"yesterday\""},
      {"/v1/users", R"({"name":"x","expires":true})", "expires: expected"},
      {"/v1/users", R"({"name":"x","max_devices":0})", "max_devices: \"0\": it is too little"},
      {"/v1/users", R"({"name":"x","max_devices":257})", "max_devices: \"257\""},
      {"/v1/users", R"({"name":"x","max_sessions":1.5})", "max_sessions: expected"},
      {"/v1/users", R"({"name":"x","max_sessions":"many"})", "max_sessions: \"many\""},
      {"/v1/users", R"({"name":"x","up":"20"})", "up: \"20\": it has no unit"},
      {"/v1/users", R"({"name":"x","down":"1bit"})", "down: \"1bit\": it is too little"},
      {"/v1/users", R"({"name":"x","down":"2000gbit"})", "down: \"2000gbit\": it is too much"},
      {"/v1/users", R"({"name":"x","enabled":"yes"})", "enabled: expected true or false"},
      {"/v1/users/ann", "{}", "nothing to set"},
      {"/v1/users/ann", R"({"name":"bob"})", "\"name\" is not known here"},
      {"/v1/users/a%20b", R"({"enabled":true})", "the user's name"},
      {"/v1/devices", R"({"user":"ann","name":"x"})", "one of key, token and login"},
      {"/v1/devices", R"({"user":"ann","name":"x","token":true,"login":true})", "one of"},
      {"/v1/devices", R"({"user":"ann","name":"x","token":true,"psk":true})", "psk: only"},
      {"/v1/devices", R"({"user":"ann","name":"x","key":"ed25519:AA"})", "key: expected ed25519:"},
      {"/v1/devices", R"({"user":"ann","name":"x","key":"ed25519-private:AA"})",
       "stays on its device"},
      {"/v1/devices", R"({"user":"ann","name":"","token":true})", "name: \"\""},
      {"/v1/devices", R"({"name":"x","token":true})", "user is missing"},
      {"/v1/devices/7", "{}", "16 hexadecimal digits"},
      {"/v1/users", std::string(20000, ' '), "16 KiB"},
  };
  for (const auto& [path, body, words] : bad) {
    EXPECT_THAT(refused("POST", path, body), HasSubstr(words)) << path << " " << body.substr(0, 80);
  }
  EXPECT_THAT(refused("POST", "/v1/devices", R"({"user":"bob","name":"x","token":true})", 404),
              HasSubstr("no user bob"));
  EXPECT_THAT(refused("DELETE", "/v1/users", ""), HasSubstr("DELETE is not for /v1/users"));
  EXPECT_THAT(refused("GET", "/v1/users", "{}"), HasSubstr("has no body"));
  EXPECT_EQ(ask("GET", "/v1/users").body, before);
}

}  // namespace
}  // namespace qdt::control
