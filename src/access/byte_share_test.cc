#include "access/byte_share.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::access {
namespace {

constexpr Timestamp kStart{Duration(1h)};
constexpr std::uint64_t kRate = 20'000'000;

// Bytes that each of `shares` sends in `time` that has packets of `size` at any moment, looked at
// each `step`.
std::vector<double> sent(std::vector<ByteShare>& shares, std::size_t size, Duration time,
                         Duration step, Timestamp start = kStart) {
  std::vector<double> bytes(shares.size());
  for (Timestamp now = start; now < start + time; now += step) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      while (shares[i].may_send(now)) {
        shares[i].spend(size);
        bytes[i] += static_cast<double>(size);
      }
    }
  }
  return bytes;
}

TEST(ByteShare, LetsEverythingPassWithoutARate) {
  SharedRate rate;
  ByteShare none;
  ByteShare any(&rate, 0);
  EXPECT_FALSE(none.is_limited());
  EXPECT_FALSE(any.is_limited());
  any.spend(1 << 30);
  EXPECT_TRUE(any.may_send(kStart));
}

TEST(ByteShare, KeepsToItsRateWhateverTheSizeOfPackets) {
  for (const std::size_t size : {64u, 1400u, 9000u}) {
    SharedRate rate;
    std::vector<ByteShare> one(1, ByteShare(&rate, kRate));
    EXPECT_NEAR(sent(one, size, 10s, 100us)[0], 25e6, 0.005 * 25e6) << size;
  }
}

TEST(ByteShare, LosesNothingToAThreadThatIsLate) {
  SharedRate rate;
  std::vector<ByteShare> one(1, ByteShare(&rate, kRate));
  EXPECT_NEAR(sent(one, 1400, 10s, 15ms)[0], 25e6, 0.01 * 25e6);
}

TEST(ByteShare, IsOneRateForAllSessions) {
  SharedRate rate;
  std::vector<ByteShare> two(2, ByteShare(&rate, kRate));
  const auto bytes = sent(two, 1400, 10s, 100us);
  EXPECT_NEAR(bytes[0] + bytes[1], 25e6, 0.005 * 25e6);
}

TEST(ByteShare, SendsAPacketThatIsLargerThanASlice) {
  SharedRate rate;
  std::vector<ByteShare> slow(1, ByteShare(&rate, 64'000));
  EXPECT_NEAR(sent(slow, 1400, 60s, 1ms)[0], 480e3, 0.02 * 480e3);
}

TEST(ByteShare, IsNotHeldBackByASlowerRateOfBefore) {
  SharedRate rate;
  ByteShare slow(&rate, 1);
  while (slow.may_send(kStart)) slow.spend(1400);
  std::vector<ByteShare> one(1, ByteShare(&rate, kRate));
  EXPECT_NEAR(sent(one, 1400, 10s, 1ms)[0], 25e6, 0.01 * 25e6);
}

TEST(ByteShare, SaysWhenToAskAgain) {
  SharedRate rate;
  ByteShare one(&rate, kRate);
  while (one.may_send(kStart)) one.spend(1400);
  EXPECT_GT(one.ready_at(), kStart);
  EXPECT_LE(one.ready_at(), kStart + 3ms);
  EXPECT_FALSE(one.may_send(one.ready_at() - 1us));
  EXPECT_TRUE(one.may_send(one.ready_at()));
}

}  // namespace
}  // namespace qdt::access
