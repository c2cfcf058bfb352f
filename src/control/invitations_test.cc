#include "control/invitations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "control/user_api_fixture.h"
#include "users/contents_code.h"

namespace qdt::control {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using wire::HandshakeResult;

class InvitationsTest : public UserApiFixture<Json> {};

TEST_F(InvitationsTest, InvitesAndEnrols) {
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

TEST_F(InvitationsTest, EnrolsNoMoreDevicesThanAUserMayHave) {
  good("POST", "/v1/users", R"({"name":"ann","max_devices":1})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  good("POST", "/v1/invitations", R"({"user":"ann"})");
  const auto user = users::decode_contents((*api_.contents_unless(0))->contents)->users[0];
  EXPECT_EQ(api_.enrol({.ticket = user.tickets[0].id, .key = {1}}), HandshakeResult::kEnrolled);
  EXPECT_EQ(api_.enrol({.ticket = user.tickets[1].id, .key = {2}}),
            HandshakeResult::kTooManyDevices);
}

TEST_F(InvitationsTest, RefusesInvitationsThatCannotBe) {
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

TEST_F(InvitationsTest, InvitesNobodyWhoMayNotComeIn) {
  good("POST", "/v1/users", R"({"name":"ann"})");
  good("POST", "/v1/users/ann", R"({"enabled":false})");
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann"})"), HasSubstr("is disabled"));
  good("POST", "/v1/users/ann", R"({"enabled":true,"expires":"1h"})");
  now_ += 3601;
  EXPECT_THAT(refused("POST", "/v1/invitations", R"({"user":"ann"})"), HasSubstr("is expired"));
}

}  // namespace
}  // namespace qdt::control
