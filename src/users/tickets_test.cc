#include "users/tickets.h"

#include <gtest/gtest.h>

#include "users/text.h"

namespace qdt::users {
namespace {

using wire::HandshakeResult;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr wire::Ed25519PublicKey kKey{1};

User ann() {
  return {.id = 1,
          .name = "ann",
          .devices = {{.id = 2, .name = "phone", .key = wire::Ed25519PublicKey{9}}},
          .tickets = {{.id = 5, .key = {}, .created = kNow - 10, .expires = kNow + 10}}};
}

HandshakeResult enrol(User& user, const wire::Ed25519PublicKey& key, std::int64_t now = kNow,
                      std::uint64_t max_devices = 10) {
  return users::enrol(user, {.ticket = 5, .key = key, .name = "laptop"}, 77, max_devices, now);
}

TEST(Tickets, EnrolOneDevice) {
  User user = ann();
  EXPECT_EQ(enrol(user, kKey), HandshakeResult::kEnrolled);
  ASSERT_EQ(user.devices.size(), 2u);
  EXPECT_EQ(user.devices[1].name, "laptop");
  EXPECT_EQ(user.devices[1].key, kKey);
  EXPECT_EQ(user.devices[1].id, 77u);
  EXPECT_EQ(user.tickets[0].device, 77u);
  EXPECT_EQ(enrol(user, {3}), HandshakeResult::kLinkUsed);
  EXPECT_EQ(user.devices.size(), 2u);
}

TEST(Tickets, AnswerTheSameDeviceAgainAlsoAfterTheirTime) {
  User user = ann();
  ASSERT_EQ(enrol(user, kKey), HandshakeResult::kEnrolled);
  const User before = user;
  EXPECT_EQ(enrol(user, kKey, kNow + 1000), HandshakeResult::kEnrolled);
  EXPECT_EQ(user, before);
}

TEST(Tickets, OfADeviceThatWasRemovedAreUsed) {
  User user = ann();
  ASSERT_EQ(enrol(user, kKey), HandshakeResult::kEnrolled);
  user.devices.pop_back();
  EXPECT_EQ(enrol(user, kKey), HandshakeResult::kLinkUsed);
  EXPECT_EQ(user.devices.size(), 1u);
}

TEST(Tickets, HaveATime) {
  User user = ann();
  EXPECT_EQ(enrol(user, kKey, kNow + 10), HandshakeResult::kLinkExpired);
  EXPECT_EQ(enrol(user, kKey, kNow + 9), HandshakeResult::kEnrolled);
  forget_old_tickets(user, kNow + 9 + kTicketAfterlife);
  EXPECT_EQ(user.tickets.size(), 1u);
  forget_old_tickets(user, kNow + 10 + kTicketAfterlife);
  EXPECT_TRUE(user.tickets.empty());
  EXPECT_EQ(enrol(user, kKey), HandshakeResult::kUnauthorized);
}

TEST(Tickets, ThatAreDeadMakeRoomForOthers) {
  User user = ann();
  user.tickets.assign(kMaxTicketsOfUser, user.tickets[0]);
  forget_old_tickets(user, kNow);
  EXPECT_EQ(user.tickets.size(), kMaxTicketsOfUser);  // all are good
  user.tickets[7].expires = kNow;                     // cancelled
  user.tickets[9].device = 2;                         // used
  forget_old_tickets(user, kNow);
  EXPECT_EQ(user.tickets.size(), kMaxTicketsOfUser - 1);
  EXPECT_EQ(user.tickets[8].device, 2u);
}

TEST(Tickets, AreNoWayToMoreDevicesThanAUserMayHave) {
  User user = ann();
  EXPECT_EQ(enrol(user, kKey, kNow, 1), HandshakeResult::kTooManyDevices);
  EXPECT_EQ(user, ann());
}

TEST(Tickets, NameDevicesSoThatTheyCanBeNamed) {
  User user = ann();
  EXPECT_EQ(free_device_name(user, "laptop"), "laptop");
  EXPECT_EQ(free_device_name(user, "phone"), "phone-2");
  EXPECT_EQ(free_device_name(user, ""), "device");
  EXPECT_EQ(free_device_name(user, "-rf /"), "rf");
  EXPECT_EQ(free_device_name(user, "Ann's \xc3\xa4PC\n"), "AnnsPC");
  EXPECT_TRUE(check_name("name", free_device_name(user, std::string(1000, 'x'))));
}

}  // namespace
}  // namespace qdt::users
