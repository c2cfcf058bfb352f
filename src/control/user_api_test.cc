#include "control/user_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "control/user_text.h"
#include "os/system_random.h"
#include "users/contents_code.h"
#include "wire/ed25519.h"
#include "wire/key_text.h"
#include "wire/seal.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using wire::HandshakeResult;

constexpr std::int64_t kNow = 1796026934;  // 2026-11-30T08:22:14Z

class NoLogger final : public Logger {
  void write(LogLevel, std::string_view) override {}
};

class UserApiTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ops::HttpResponse ask(const std::string& method, const std::string& path,
                        const std::string& body = "") {
    return api_.answer({.method = method, .path = path, .body = body, .who = "root"});
  }
  Json good(const std::string& method, const std::string& path, const std::string& body = "") {
    const auto response = ask(method, path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body);
  }
  std::string refused(const std::string& method, const std::string& path, const std::string& body,
                      int status = 400) {
    const auto response = ask(method, path, body);
    EXPECT_EQ(response.status, status) << response.body;
    return response.status == 200 ? "" : Json::parse(response.body)["error"]["message"];
  }
  static std::string key_text(std::uint8_t seed) {
    return wire::public_key_text(wire::Ed25519Key(wire::Ed25519Seed{seed}).public_key());
  }

  NoLogger logger_;
  os::SystemRandom random_;
  const std::string folder_ = [] {
    std::string name = ::testing::TempDir() + "qdt-users-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
  std::int64_t now_ = kNow;
  users::StoreFile file_{{.path = folder_ + "/a.db", .key_path = folder_ + "/a.key"},
                         random_,
                         [this] { return now_; },
                         logger_};
  UserApi api_{file_, random_, [this] { return now_; },
               users::Addresses{.pool = *Prefix::parse("10.8.0.0/24"),
                                .gateway = *IpAddress::parse("10.8.0.1"),
                                .pool6 = *Prefix::parse("fd00::/64"),
                                .gateway6 = *IpAddress::parse("fd00::1")}};
};

TEST_F(UserApiTest, HasNoUsersAndMakesNoFileAtFirst) {
  EXPECT_TRUE(good("GET", "/v1/users")["users"].empty());
  EXPECT_TRUE(good("GET", "/v1/deeds")["deeds"].empty());
  EXPECT_EQ(refused("GET", "/v1/users/ann", "", 404), "there is no user ann");
  EXPECT_EQ(refused("DELETE", "/v1/users/ann", "", 404), "there is no user ann");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/a.db"));
}

TEST_F(UserApiTest, InvitesAndEnrols) {
  const auto link = good("POST", "/v1/invitations", R"({"user":"ann"})");
  EXPECT_EQ(link["is_new"], true);
  EXPECT_EQ(link["expires"], "2026-12-01T08:22:14Z");
  EXPECT_EQ(link["ticket"].get<std::string>().size(), 22u);
  const auto ticket_id = [&](std::size_t index) {
    return users::decode_contents((*api_.contents_unless(0))->contents)->users[0].tickets[index].id;
  };
  EXPECT_EQ(good("GET", "/v1/users/ann")["open_links"].size(), 1u);
  const auto first = ticket_id(0);
  EXPECT_EQ(api_.enrol({.ticket = first, .key = {1}, .name = "laptop"}),
            HandshakeResult::kEnrolled);
  EXPECT_EQ(api_.enrol({.ticket = first, .key = {1}, .name = "laptop"}),
            HandshakeResult::kEnrolled);
  EXPECT_EQ(api_.enrol({.ticket = first, .key = {2}, .name = "laptop"}),
            HandshakeResult::kLinkUsed);
  const auto ann = good("GET", "/v1/users/ann");
  ASSERT_EQ(ann["devices"].size(), 1u);
  EXPECT_EQ(ann["devices"][0]["name"], "laptop");
  EXPECT_TRUE(ann["open_links"].empty());
  const auto deed = good("GET", "/v1/deeds")["deeds"][0];
  EXPECT_EQ(deed["what"], "device add ann laptop");
  EXPECT_THAT(deed["who"].get<std::string>(), HasSubstr("link "));

  // Another link of hers, with a key that is there.
  EXPECT_EQ(good("POST", "/v1/invitations", R"({"user":"ann","expires":"1h"})")["is_new"], false);
  const auto second = ticket_id(1);
  EXPECT_EQ(api_.enrol({.ticket = second, .key = {1}, .name = "x"}), HandshakeResult::kKeyInUse);
  EXPECT_EQ(good("DELETE", "/v1/invitations/ann")["cancelled"], 1);
  EXPECT_EQ(api_.enrol({.ticket = second, .key = {2}, .name = "x"}), HandshakeResult::kLinkExpired);
  EXPECT_EQ(api_.enrol({.ticket = 7, .key = {2}}), HandshakeResult::kLinkExpired);
  EXPECT_EQ(good("GET", "/v1/users/ann")["devices"].size(), 1u);
}

TEST_F(UserApiTest, EnrolsNoMoreDevicesThanAUserMayHave) {
  good("POST", "/v1/users", R"({"name":"ann","max_devices":1})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  const auto user = users::decode_contents((*api_.contents_unless(0))->contents)->users[0];
  EXPECT_EQ(api_.enrol({.ticket = user.tickets[0].id, .key = {1}}), HandshakeResult::kEnrolled);
  EXPECT_EQ(api_.enrol({.ticket = user.tickets[1].id, .key = {2}}),
            HandshakeResult::kTooManyDevices);
}

TEST_F(UserApiTest, RefusesInvitationsThatCannotBe) {
  EXPECT_THAT(refused("POST", "/v1/invitations", "{}"), HasSubstr("user is missing"));
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"a b"})"), HasSubstr("user"));
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"default"})"), HasSubstr("default"));
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann","expires":"2y"})"),
              HasSubstr("expires"));
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann","expires":"400d"})"),
              HasSubstr("a year at most"));
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann","expires":"none"})"),
              HasSubstr("expires"));
  EXPECT_THAT(refused("DELETE", "/v1/invitations/bob", "", 404), HasSubstr("no user bob"));
}

TEST_F(UserApiTest, InvitesNobodyWhoMayNotComeIn) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  good("POST", "/v1/users/ann", R"({"enabled":false})");
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann"})"), HasSubstr("is disabled"));
  good("POST", "/v1/users/ann", R"({"enabled":true,"expires":"1h"})");
  now_ += 3601;
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann"})"), HasSubstr("is expired"));
}

TEST_F(UserApiTest, BringsEnrolmentsToAnotherProcess) {
  const users::Enrolment one{.ticket = 7, .key = {1, 2}, .name = "laptop"};
  const std::string bytes = encode_enrolment(one);
  const auto read = decode_enrolment(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->ticket, 7u);
  EXPECT_EQ(read->key, one.key);
  EXPECT_EQ(read->name, "laptop");
  EXPECT_FALSE(decode_enrolment(bytes.substr(1)));
  EXPECT_FALSE(decode_enrolment(bytes + "x"));
}

TEST_F(UserApiTest, GivesAUserRates) {
  const auto ann = good("POST", "/v1/users", R"({"name":"ann","up":"20mbit"})");
  EXPECT_EQ(ann["up"], 20'000'000);
  EXPECT_EQ(ann["down"], nullptr);
  const auto other = good("POST", "/v1/users/ann", R"({"up":"none","down":"1.5gbit"})");
  EXPECT_EQ(other["up"], nullptr);
  EXPECT_EQ(other["down"], 1'500'000'000);
}

TEST_F(UserApiTest, AddsChangesAndRemovesAUser) {
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

TEST_F(UserApiTest, WritesDownWhoChangedWhat) {
  good("POST", "/v1/users", R"({"name":"ann","expires":"2026-12-31"})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"phone","token":true})");
  const auto deeds = good("GET", "/v1/deeds")["deeds"];
  ASSERT_EQ(deeds.size(), 2u);
  EXPECT_EQ(deeds[1], Json({{"at", "2026-11-30T08:22:14Z"},
                            {"who", "root"},
                            {"what", "user add ann expires=\"2026-12-31\""}}));
  EXPECT_EQ(deeds[0]["what"], "device add ann phone");
}

TEST_F(UserApiTest, GivesADeviceAKey) {
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

TEST_F(UserApiTest, GivesADeviceAnAddress) {
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

TEST_F(UserApiTest, RefusesAnAddressThatCannotBeADevices) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  const auto a = good("POST", "/v1/devices",
                      R"({"user":"ann","name":"a","token":true,"address":"10.8.0.50"})");
  const std::string path = "/v1/devices/" + a["device"]["id"].get<std::string>();
  const auto before = ask("GET", "/v1/users").body;
  const auto refuses = [&](const std::string& to, const std::string& body, const char* why) {
    EXPECT_THAT(refused("POST", to, body), HasSubstr(why)) << body;
  };
  refuses(path, R"({"address":"10.9.0.50"})", "not in the pool, 10.8.0.0/24");
  refuses(path, R"({"address":"10.8.0.1"})", "the server's own");
  refuses(path, R"({"address":7})", "it is no address");
  refuses(path, R"({"address":"10.8.0.51","key":"x"})", "one at a time");
  refuses("/v1/devices", R"({"user":"ann","name":"b","token":true,"address":"10.8.0.50"})",
          "the address 10.8.0.50 is that of the device a of ann already");
  EXPECT_EQ(ask("GET", "/v1/users").body, before);
}

TEST_F(UserApiTest, ShowsASecretOnce) {
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

TEST_F(UserApiTest, BoundsTheDevicesOfAUser) {
  good("POST", "/v1/users", R"({"name":"ann","max_devices":1})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"a","token":true})");
  EXPECT_THAT(refused("POST", "/v1/devices", R"({"user":"ann","name":"b","token":true})"),
              HasSubstr("may have 1 devices at most"));
}

TEST(UserRequest, TravelsBetweenProcesses) {
  const auto request = decode_request(encode_request(
      {.method = "POST", .path = "/v1/users/a\nroot\n", .body = "{\n}\n", .who = "user 7"}));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->path, "/v1/users/a\nroot\n");
  EXPECT_EQ(request->who, "user 7");
  EXPECT_EQ(request->body, "{\n}\n");
  EXPECT_EQ(encode_request({.body = std::string(70'000, 'x')}), "");
  EXPECT_FALSE(decode_request(""));
  EXPECT_EQ(decode_response(encode_response({.status = 404, .body = "x\ny"})).body, "x\ny");
  EXPECT_EQ(decode_response("").status, 503);
}

TEST(UserText, ShowsUsersAndDevices) {
  const std::string ann =
      R"({"name":"ann","state":"enabled","expires":null,"up":20000000,"down":null,)"
      R"("max_devices":null,"max_sessions":2,)"
      R"("created":"2026-11-30T08:22:14Z","devices":[{"id":"00000000000000ff","name":"phone",)"
      R"("kind":"token","key":null,"login":null,"psk":false,"locked":false,)"
      R"("created":"2026-11-30T08:22:14Z","last_seen":null,"usage":{"up":0,"down":0}}],)"
      R"("month":"2026-11","usage":{"up":1200000,"down":34500000000},)"
      R"("quota":100000000000,"quota_used":34501200000,"quota_resets":"2026-12-01T00:00:00Z"})";
  EXPECT_EQ(*describe_users(R"({"users":[)" + ann + "]}"),
            "USER  STATE    GROUP  EXPIRES  DEVICES  MAX SESSIONS\n"
            "ann   enabled  -      -        1        2\n");
  EXPECT_EQ(*describe_user(ann),
            "ann: enabled, since 2026-11-30T08:22:14Z\n"
            "at most 20mbit up\n"
            "at most 2 sessions\n"
            "quota of 100.0 GB a month, of which 34.5 GB are used; anew on 2026-12-01T00:00:00Z\n"
            "2026-11: 1.2 MB from it, 34.5 GB to it\n"
            "USER  DEVICE  ADDRESS  SINCE                 LAST SEEN  PROVES ITSELF BY\n"
            "ann   phone   -        2026-11-30T08:22:14Z  -          token\n");
  EXPECT_EQ(*device_id(ann, "phone"), "00000000000000ff");
  EXPECT_EQ(device_id(ann, "tv").error().message, "there is no device tv of ann");
  for (const char* other : {"", "{}", "[]", "null", "\xff"}) {
    EXPECT_FALSE(describe_users(other)) << other;
    EXPECT_FALSE(describe_user(other)) << other;
    EXPECT_FALSE(describe_deeds(other)) << other;
    EXPECT_FALSE(describe_usage(other)) << other;
    EXPECT_FALSE(usage_of(other, "ann")) << other;
    EXPECT_FALSE(describe_secrets(other, DeviceChange::kAdded)) << other;
  }
}

TEST(UserText, ShowsUsage) {
  const std::string ann = R"({"name":"ann","up":1000,"down":2000000,"devices":[)"
                          R"({"up":600,"down":2000000,"name":"phone","id":"00000000000000ff"},)"
                          R"({"up":400,"down":0,"name":null,"id":"00000000000000fe"}]})";
  const std::string usage =
      R"({"month":"2026-11","users":[)" + ann + R"(,{"name":"bob","up":0,"down":0,"devices":[]}]})";
  EXPECT_EQ(*describe_usage(usage),
            "2026-11 (UTC)\n"
            "USER  DEVICE  UP      DOWN    BOTH\n"
            "ann   all     1.0 kB  2.0 MB  2.0 MB\n"
            "bob   all     0 B     0 B     0 B\n");
  EXPECT_EQ(*describe_usage(usage, "ann"),
            "2026-11 (UTC)\n"
            "USER  DEVICE     UP      DOWN    BOTH\n"
            "ann   all        1.0 kB  2.0 MB  2.0 MB\n"
            "ann   phone      600 B   2.0 MB  2.0 MB\n"
            "ann   (removed)  400 B   0 B     400 B\n");
  EXPECT_EQ(*usage_of(usage, "ann"), R"({"month":"2026-11","users":[)" + ann + "]}");
  EXPECT_EQ(*describe_usage(R"({"month":"2026-11","users":[]})"), "2026-11: no users\n");
  EXPECT_EQ(usage_of(usage, "carl").error().message, "there is no user carl");
}

TEST_F(UserApiTest, SetsAQuota) {
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

TEST_F(UserApiTest, RefusesWhatIsNoQuota) {
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

TEST_F(UserApiTest, AddsChangesAndRemovesAGroup) {
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

TEST_F(UserApiTest, ShowsWhatAUserHasByItsGroup) {
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

TEST_F(UserApiTest, ShowsAQuotaThatComesByAGroup) {
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

TEST_F(UserApiTest, EnrolsNoMoreDevicesThanItsGroupAllows) {
  good("POST", "/v1/groups", R"({"name":"staff","max_devices":1})");
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  good("POST", "/v1/devices", R"({"user":"ann","name":"a","token":true})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  const auto ann = users::decode_contents((*api_.contents_unless(0))->contents)->users[0];
  EXPECT_EQ(api_.enrol({.ticket = ann.tickets[0].id, .key = {1}}),
            HandshakeResult::kTooManyDevices);
}

TEST_F(UserApiTest, RefusesWhatIsNoGroup) {
  good("POST", "/v1/groups", R"({"name":"staff"})");
  const auto refuses = [&](const std::string& path, const std::string& body, const char* why) {
    EXPECT_THAT(refused("POST", path, body), HasSubstr(why)) << body;
  };
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

TEST(UserText, ShowsGroups) {
  const std::string staff =
      R"({"name":"staff","users":["ann","bob"],"up":null,"down":null,"max_devices":3,"max_sessions":null,)"
      R"("quota":1000000000,"quota_reset_day":15,"quota_action":"block"})";
  EXPECT_EQ(*describe_groups(R"({"groups":[)" + staff + "]}"),
            "GROUP  USERS  LIMITS OF EACH USER\n"
            "staff  2      at most 3 devices, quota of 1.0 GB a month each, anew on day 15\n");
  EXPECT_EQ(*describe_group(staff),
            "staff, for each user in it without a limit of its own:\n"
            "at most 3 devices\n"
            "quota of 1.0 GB a month each, anew on day 15\n"
            "users: ann, bob\n");
  EXPECT_FALSE(describe_groups("[]"));
  EXPECT_FALSE(describe_group("{}"));
}

TEST_F(UserApiTest, TellsAPersonWhatComesByAGroup) {
  good("POST", "/v1/groups", R"({"name":"staff","quota":100,"max_sessions":2})");
  good("POST", "/v1/users", R"({"name":"ann","group":"staff"})");
  const std::string ann = *describe_user(ask("GET", "/v1/users/ann").body);
  EXPECT_THAT(ann, HasSubstr("in the group staff\nat most 2 sessions by its group\n"
                             "quota of 100 B a month by its group, of which 0 B are used"));
  EXPECT_THAT(*describe_users(ask("GET", "/v1/users").body), HasSubstr("ann   enabled  staff"));
}

TEST_F(UserApiTest, ShowsHowMuchOfAQuotaIsUsed) {
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

TEST_F(UserApiTest, ShowsWhatDevicesHaveCarriedAndWhenTheyWereSeen) {
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
