#include "control/user_text.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::control {
namespace {

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

}  // namespace
}  // namespace qdt::control
