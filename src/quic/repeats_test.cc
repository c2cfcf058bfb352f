#include "quic/repeats.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt::quic {
namespace {

SocketAddress from(std::uint32_t address, std::uint16_t port = 50000) {
  return {IpAddress::v4(address), port};
}
ConnectionId id_of(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes;
  store_be<std::uint64_t>(bytes.data(), number);
  return ConnectionId(bytes);
}

class RepeatsTest : public ::testing::Test {
 protected:
  bool came_before(const SocketAddress& address, std::uint64_t id) {
    return repeats.came_before(address, id_of(id), now);
  }

  Repeats repeats{0x1234};
  Timestamp now{1h};
};

TEST_F(RepeatsTest, TellsWhatComesAgain) {
  EXPECT_FALSE(came_before(from(0xc6336401), 1));
  EXPECT_TRUE(came_before(from(0xc6336401), 1));
  EXPECT_TRUE(came_before(from(0xc6336401), 1));
}

TEST_F(RepeatsTest, AnotherAddressPortOrIdIsAnotherPacket) {
  came_before(from(0xc6336401), 1);
  EXPECT_FALSE(came_before(from(0xc6336402), 1));
  EXPECT_FALSE(came_before(from(0xc6336401, 50001), 1));
  EXPECT_FALSE(came_before(from(0xc6336401), 2));
}

TEST_F(RepeatsTest, RemembersForTwoSecondsAtLeast) {
  came_before(from(1), 1);  // the turn begins
  now += Repeats::kTurn - 1ns;
  EXPECT_FALSE(came_before(from(2), 2));
  now += Repeats::kTurn;
  EXPECT_TRUE(came_before(from(2), 2));
}

TEST_F(RepeatsTest, ForgetsAfterTwiceAsLong) {
  came_before(from(1), 1);
  now += Repeats::kTurn;
  came_before(from(2), 2);
  now += Repeats::kTurn;
  EXPECT_FALSE(came_before(from(1), 1));
}

TEST_F(RepeatsTest, ForgetsDuringASilence) {
  came_before(from(1), 1);
  now += 1min;
  EXPECT_FALSE(came_before(from(1), 1));
}

TEST_F(RepeatsTest, BeginsAtAnyTime) {
  now = Timestamp{} + 1s;
  EXPECT_FALSE(came_before(from(1), 1));
}

TEST_F(RepeatsTest, AFloodIsTakenForRepeatsRarely) {
  constexpr std::uint32_t kPackets = 500'000;  // ten seconds at 50,000 a second
  std::uint32_t mistaken = 0;
  for (std::uint32_t i = 0; i < kPackets; ++i, now += 20us) {
    mistaken += came_before(from(0x0a000000 + i), i) ? 1 : 0;
  }
  EXPECT_LT(mistaken, kPackets / 8);
}

}  // namespace
}  // namespace qdt::quic
