#include "users/roster.h"

#include <gtest/gtest.h>

namespace qdt::users {
namespace {

constexpr std::int64_t kNow = 1'000;

User user_with_key(const std::string& name, std::uint8_t key) {
  User user{.id = key, .name = name};
  user.devices = {{.id = key, .name = "phone", .key = wire::Ed25519PublicKey{key}}};
  return user;
}

Roster roster(const std::vector<User>& users, const std::vector<Group>& groups = {}) {
  return roster_at({.revision = 1, .users = users, .groups = groups},
                   {.max_sessions = 0, .session_rate = {.per_second = 7, .burst = 1}}, kNow);
}

TEST(Roster, HasTheUsersWhoMayComeIn) {
  const auto all = roster({user_with_key("ann", 1), user_with_key("bob", 2)});
  ASSERT_EQ(all.entries.size(), 2u);
  EXPECT_EQ(all.entries[0].name, "ann");
  EXPECT_EQ(all.entries[0].devices.at(0).key, wire::Ed25519PublicKey{1});
  EXPECT_EQ(all.entries[0].limits.session_rate.per_second, 7);
  EXPECT_TRUE(all.absent.empty());
  EXPECT_EQ(all.next_change, std::nullopt);
}

TEST(Roster, KeepsTheAddressesOfThoseWhoMayNot) {
  User ann = user_with_key("ann", 1);
  ann.devices[0].address = *IpAddress::parse("10.8.0.50");
  User bob = user_with_key("bob", 2);
  bob.devices[0].address = *IpAddress::parse("10.8.0.51");
  bob.is_enabled = false;
  const auto all = roster({ann, bob});
  EXPECT_EQ(all.entries.at(0).devices.at(0).address, ann.devices[0].address);
  EXPECT_EQ(all.addresses, (std::vector{*ann.devices[0].address, *bob.devices[0].address}));
}

TEST(Roster, LeavesOutWhoMayNot) {
  User disabled = user_with_key("ann", 1);
  disabled.is_enabled = false;
  User expired = user_with_key("bob", 2);
  expired.expires = kNow;
  const auto all = roster({disabled, expired, {.id = 3, .name = "no device"}});
  EXPECT_TRUE(all.entries.empty());
  EXPECT_EQ(all.absent.at("ann"), Absence::kDisabled);
  EXPECT_EQ(all.absent.at("bob"), Absence::kExpired);
  EXPECT_EQ(all.absent.at("no device"), Absence::kHasNoDevice);
}

TEST(Roster, LeavesOutWhoseQuotaIsUsedUpUntilItBeginsAnew) {
  const Contents contents{.users = {user_with_key("ann", 1), user_with_key("bob", 2)}};
  const auto all = roster_at(contents, {}, kNow, {{1, kNow + 30}, {7, kNow + 20}});
  ASSERT_EQ(all.entries.size(), 1u);
  EXPECT_EQ(all.entries[0].name, "bob");
  EXPECT_EQ(all.entries[0].id, 2u);
  EXPECT_EQ(all.entries[0].devices.at(0).id, 2u);
  EXPECT_EQ(all.absent.at("ann"), Absence::kQuotaIsUsedUp);
  EXPECT_EQ(all.next_change, kNow + 30);
}

TEST(Roster, SlowsDownWhoseQuotaEndsInARate) {
  User ann = user_with_key("ann", 1);
  User bob = user_with_key("bob", 2);
  ann.limits = {.up = 500'000,
                .down = std::nullopt,
                .quota = Quota{.bytes = 1, .reset_day = 1, .then = 1'000'000}};
  bob.limits = ann.limits;
  const auto all = roster_at({.users = {ann, bob}}, {}, kNow, {{1, kNow + 30}});
  ASSERT_EQ(all.entries.size(), 2u);
  EXPECT_EQ(all.entries[0].limits.bits, (access::BitRates{.up = 500'000, .down = 1'000'000}));
  EXPECT_EQ(all.entries[1].limits.bits, (access::BitRates{.up = 500'000, .down = 0}));
  EXPECT_EQ(all.next_change, kNow + 30);
}

TEST(Roster, SaysWhenTheNextUserExpires) {
  User ann = user_with_key("ann", 1);
  User bob = user_with_key("bob", 2);
  ann.expires = kNow + 20;
  bob.expires = kNow + 10;
  EXPECT_EQ(roster({ann, bob}).next_change, kNow + 10);
}

TEST(Roster, TakesLimitsOfTheUserThenOfItsGroup) {
  User ann = user_with_key("ann", 1);
  User bob = user_with_key("bob", 2);
  ann.group = bob.group = "staff";
  bob.limits.max_sessions = 5;
  const auto all = roster({ann, bob}, {{.name = "staff", .limits = {.max_sessions = 3}}});
  EXPECT_EQ(all.entries[0].limits.max_sessions, 3u);
  EXPECT_EQ(all.entries[1].limits.max_sessions, 5u);
}

TEST(Roster, LeavesOutLockedDevices) {
  User ann = user_with_key("ann", 1);
  ann.devices[0].is_locked = true;
  EXPECT_TRUE(roster({ann}).entries.empty());
}

}  // namespace
}  // namespace qdt::users
