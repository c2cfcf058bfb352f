#include "control/devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "control/user_api_fixture.h"
#include "control/user_text.h"
#include "wire/key_text.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

class DevicesTest : public UserApiFixture<Json> {};

TEST_F(DevicesTest, GivesADeviceAKey) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto told = good("POST", "/v1/devices",
                         R"({"user":"ann","name":"pc","psk":true,"key":")" + key_text(1) + "\"}");
  EXPECT_EQ(told["device"]["key"], key_text(1));
  EXPECT_TRUE(wire::parse_psk(told["psk"].get<std::string>()));
  EXPECT_EQ(good("GET", "/v1/users/ann")["devices"][0], told["device"]);
  const std::string id = told["device"]["id"];
  const auto rotated = good("POST", "/v1/devices/" + id, R"({"key":")" + key_text(2) + "\"}");
  EXPECT_EQ(rotated["device"]["key"], key_text(2));
  EXPECT_NE(rotated["psk"], told["psk"]);
  good("DELETE", "/v1/devices/" + id);
  EXPECT_TRUE(good("GET", "/v1/users/ann")["devices"].empty());
  EXPECT_EQ(refused("DELETE", "/v1/devices/" + id, "", 404), "there is no device " + id);
}

TEST_F(DevicesTest, GivesADeviceAnAddress) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto told = good("POST", "/v1/devices",
                         R"({"user":"ann","name":"a","token":true,"address":"10.8.0.50"})");
  EXPECT_EQ(told["device"]["address"], "10.8.0.50");
  const std::string path = "/v1/devices/" + told["device"]["id"].get<std::string>();
  EXPECT_EQ(good("POST", path, "{}")["device"]["address"], "10.8.0.50") << "another token";
  EXPECT_EQ(good("POST", path, R"({"address":"fd00::33"})")["device"]["address"], "10.8.0.51");
  EXPECT_THAT(*describe_devices(ask("GET", "/v1/users").body),
              HasSubstr("ann   a       10.8.0.51"));
  EXPECT_EQ(good("POST", path, R"({"address":"none"})")["device"]["address"], nullptr);
  EXPECT_THAT(good("GET", "/v1/deeds")["deeds"][1]["what"].get<std::string>(),
              HasSubstr("device set address=10.8.0.51 "));
}

TEST_F(DevicesTest, RefusesAnAddressThatCannotBeADevices) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto a = good("POST", "/v1/devices",
                      R"({"user":"ann","name":"a","token":true,"address":"10.8.0.50"})");
  const std::string path = "/v1/devices/" + a["device"]["id"].get<std::string>();
  const auto before = ask("GET", "/v1/users").body;
  refuses(path, R"({"address":"10.9.0.50"})", "not in the pool, 10.8.0.0/24");
  refuses(path, R"({"address":"10.8.0.1"})", "the server's own");
  refuses(path, R"({"address":7})", "it is no address");
  refuses(path, R"({"address":"10.8.0.51","key":"x"})", "one at a time");
  refuses("/v1/devices", R"({"user":"ann","name":"b","token":true,"address":"10.8.0.50"})",
          "the address 10.8.0.50 is that of the device a of ann already");
  EXPECT_EQ(ask("GET", "/v1/users").body, before);
}

TEST_F(DevicesTest, ShowsASecretOnce) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto token = good("POST", "/v1/devices", R"({"user":"ann","name":"old","token":true})");
  const auto login = good("POST", "/v1/devices", R"({"user":"ann","name":"tv","login":true})");
  EXPECT_GE(token["token"].get<std::string>().size(), 32u);
  EXPECT_GE(login["secret"].get<std::string>().size(), 32u);
  EXPECT_EQ(login["device"]["login"], "ann");
  const std::string all = ask("GET", "/v1/users").body + ask("GET", "/v1/deeds").body;
  EXPECT_EQ(all.find(token["token"].get<std::string>()), all.npos);
  EXPECT_EQ(all.find(login["secret"].get<std::string>()), all.npos);
  const std::string id = token["device"]["id"];
  EXPECT_NE(good("POST", "/v1/devices/" + id, "{}")["token"], token["token"]);
}

TEST_F(DevicesTest, BoundsTheDevicesOfAUser) {
  good("POST", "/v1/users", R"({"name":"ann","max_devices":1})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"a","token":true})");
  EXPECT_THAT(refused("POST", "/v1/devices", R"({"user":"ann","name":"b","token":true})"),
              HasSubstr("may have 1 devices at most"));
}

}  // namespace
}  // namespace qdt::control
