#include "wire/direct_frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace qdt::wire {
namespace {

using Octets = std::vector<std::uint8_t>;

// A frame of `bytes`, with nothing in it but its lengths.
Octets ipv4(std::size_t bytes) {
  Octets packet(bytes);
  packet[0] = 0x45;
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(bytes));
  return packet;
}

Octets ipv6(std::size_t bytes) {
  Octets packet(bytes);
  packet[0] = 0x60;
  store_be<std::uint16_t>(&packet[4], static_cast<std::uint16_t>(bytes - 40));
  return packet;
}

Octets operator+(Octets a, const auto& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The only frame of `payload`: its type and how long its body is, or why it is none.
std::expected<DirectFrame, Drop> only(Octets& payload) {
  MutableBytes rest(payload);
  auto frame = take_direct_frame(rest);
  EXPECT_TRUE(!frame || rest.empty());
  return frame;
}

void expect_drop(Octets payload, Drop drop) {
  const auto frame = only(payload);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error(), drop);
}

constexpr Feedback kFeedback = {.highest = 0x0102030405060708,
                                .arrived_us = 0x11121314,
                                .held_us = 0x21222324,
                                .packets = 0x31323334,
                                .bytes = 0x4142434445464748,
                                .marked = 0x51525354};

TEST(DirectFrame, HasTheBytesOfFeedbackInOrder) {
  const Octets expected = {2,    1,    2,    3,    4,    5,    6,    7,    8,    0x11, 0x12,
                           0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x41,
                           0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x51, 0x52, 0x53, 0x54};
  const auto frame = encode_feedback(kFeedback);
  EXPECT_TRUE(std::ranges::equal(frame, expected));
}

TEST(DirectFrame, ReadsFeedback) {
  Octets payload = Octets{} + encode_feedback(kFeedback);
  const auto frame = only(payload);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->type, DirectFrameType::kFeedback);
  EXPECT_EQ(decode_feedback(frame->body), kFeedback);
}

TEST(DirectFrame, ReadsPingAndPong) {
  for (const auto type : {DirectFrameType::kPing, DirectFrameType::kPong}) {
    const PingCookie cookie = {1, 2, 3, 4, 5, 6, 7, 8};
    Octets payload = Octets{} + encode_ping(type, cookie);
    const auto frame = only(payload);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->type, type);
    EXPECT_TRUE(std::ranges::equal(frame->body, cookie));
  }
}

TEST(DirectFrame, ReadsAPacketAsLongAsItSays) {
  for (const Octets& packet : {ipv4(20), ipv4(1400), ipv6(40), ipv6(1400)}) {
    Octets payload = packet;
    const auto frame = only(payload);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->type, DirectFrameType::kPacket);
    EXPECT_EQ(frame->body.data(), payload.data());
    EXPECT_EQ(frame->body.size(), packet.size());
  }
}

TEST(DirectFrame, GivesPaddingAndFragmentsTheRest) {
  Octets padding(7);
  EXPECT_EQ(only(padding)->body.size(), 6u);
  Octets one(1);
  EXPECT_EQ(only(one)->body.size(), 0u);
  Octets fragment = Octets{1} + Octets(13, 9);
  EXPECT_EQ(only(fragment)->type, DirectFrameType::kFragment);
  EXPECT_EQ(only(fragment)->body.size(), 13u);
  expect_drop(Octets{1} + Octets(12, 9), Drop::kBadFragment);
  expect_drop({1}, Drop::kBadFragment);
}

TEST(DirectFrame, TakesOneFrameAfterTheOther) {
  Octets payload = ipv4(28) + encode_ping(DirectFrameType::kPong, {}) + ipv6(52) +
                   encode_feedback(kFeedback) + Octets(3);
  MutableBytes rest(payload);
  std::vector<DirectFrameType> types;
  while (!rest.empty()) types.push_back(take_direct_frame(rest)->type);
  using enum DirectFrameType;
  EXPECT_EQ(types, (std::vector{kPacket, kPong, kPacket, kFeedback, kPadding}));
}

TEST(DirectFrame, RefusesWhatIsCutOff) {
  for (const Octets& whole : {ipv4(28), ipv6(52), Octets{} + encode_feedback(kFeedback),
                              Octets{} + encode_ping(DirectFrameType::kPing, {})}) {
    for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
      // The buffer has exactly that size, so that a sanitizer sees what is read past it.
      expect_drop(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)),
                  Drop::kMalformed);
    }
  }
}

TEST(DirectFrame, RefusesLengthsThatLie) {
  for (const std::uint16_t length : {0, 19, 29, 65535}) {
    Octets packet = ipv4(28);
    store_be<std::uint16_t>(&packet[2], length);
    expect_drop(packet, Drop::kMalformed);
  }
  Octets packet = ipv6(52);
  store_be<std::uint16_t>(&packet[4], 13);
  expect_drop(packet, Drop::kMalformed);
}

TEST(DirectFrame, RefusesTypesItDoesNotKnow) {
  for (int type = 5; type < 0x100; ++type) {
    if (type >> 4 == 4 || type >> 4 == 6) continue;
    expect_drop(Octets(100, static_cast<std::uint8_t>(type)), Drop::kUnknownType);
  }
}

TEST(DirectFrame, LeavesThePayloadWhereItWasWhenItRefuses) {
  Octets payload = ipv4(20) + Octets{5, 6};
  MutableBytes rest(payload);
  ASSERT_TRUE(take_direct_frame(rest));
  EXPECT_FALSE(take_direct_frame(rest));
  EXPECT_EQ(rest.size(), 2u);
}

}  // namespace
}  // namespace qdt::wire
