#include "users/contents_code.h"

#include <gtest/gtest.h>

namespace qdt::users {
namespace {

Contents example() {
  User ann{.id = 1,
           .name = "ann",
           .is_enabled = false,
           .expires = 7,
           .group = "staff",
           .limits = {.up = 1,
                      .down = 2,
                      .quota = Quota{.bytes = 3, .reset_day = 4, .then = 5},
                      .max_devices = 6,
                      .max_sessions = 7,
                      .allowed = {*Prefix::parse("192.0.2.0/24")}},
           .created = 8};
  ann.devices = {{.id = 9,
                  .name = "phone",
                  .key = wire::Ed25519PublicKey{1},
                  .psk = wire::PresharedKey{2},
                  .token = "token",
                  .login = access::Device::Login{.name = "n", .secret_digest = {3}},
                  .address = *IpAddress::parse("10.8.0.2"),
                  .address6 = *IpAddress::parse("fd00::2"),
                  .created = 10,
                  .is_locked = true}};
  ann.tickets = {
      {.id = 12, .key = wire::Ed25519PublicKey{4}, .created = 13, .expires = 14, .device = 9}};
  return {.revision = 11,
          .users = {ann, {.id = 2, .name = "bob"}},
          .groups = {{.name = "staff", .limits = {.up = 1}}},
          .locked_devices = 1};
}

TEST(ContentsCode, BringsBackWhatWasCounted) {
  const Counts counts{
      .usage =
          {{.user = 1, .device = 2, .period = 202611, .node = "n", .epoch = 3, .up = 4, .down = 5}},
      .days = {{.user = 1, .day = 20261130, .node = "n", .epoch = 6, .bytes = 7}},
      .sightings = {{.device = 2, .at = 8}}};
  EXPECT_EQ(decode_counts(encode_counts(counts)), counts);
  EXPECT_EQ(decode_counts("no counts"), std::nullopt);
  const std::vector<QuotaUse> uses = {{.user = 1, .begin = 2, .bytes = 3}};
  EXPECT_EQ(decode_quota_uses(encode_quota_uses(uses)), uses);
}

TEST(ContentsCode, BringsBackAllOfIt) {
  const auto contents = decode_contents(encode_contents(example()));
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->revision, 11u);
  EXPECT_EQ(contents->users, example().users);
  EXPECT_EQ(contents->groups, example().groups);
  EXPECT_EQ(contents->locked_devices, 1u);
}

TEST(ContentsCode, TakesNothingElse) {
  const std::string bytes = encode_contents(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_contents(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_contents(bytes + "x"));
}

}  // namespace
}  // namespace qdt::users
