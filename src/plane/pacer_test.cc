#include "plane/pacer.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

constexpr std::size_t kBytes = 1250;
constexpr double kRate = 1.25e6;  // a payload each millisecond
constexpr Timestamp kStart{1000s};

// How many payloads may leave at this time.
std::size_t send_all(Pacer& pacer, Timestamp now) {
  std::size_t count = 0;
  for (; count < 1000 && pacer.may_send(now); ++count) pacer.on_sent(kBytes);
  return count;
}

TEST(Pacer, LimitsNothingWithoutARate) {
  Pacer pacer;
  EXPECT_EQ(send_all(pacer, kStart), 1000u);
  EXPECT_EQ(pacer.next(kStart), kStart);
}

TEST(Pacer, SpreadsPayloadsOverTime) {
  Pacer pacer;
  pacer.set_rate(kRate, kStart);
  EXPECT_EQ(send_all(pacer, kStart), 0u);
  std::size_t count = 0;
  for (Timestamp now = kStart; now < kStart + 1s; now = pacer.next(now)) {
    const std::size_t burst = send_all(pacer, now);
    EXPECT_LE(burst, 3u);
    count += burst;
  }
  EXPECT_NEAR(static_cast<double>(count), 1000, 5);
}

TEST(Pacer, LetsABurstPassAfterASilence) {
  Pacer pacer;
  pacer.set_rate(kRate, kStart);
  pacer.may_send(kStart + 1ms);
  pacer.on_sent(1);
  EXPECT_EQ(send_all(pacer, kStart + 10s), 3u);
}

TEST(Pacer, GivesWhatHadToWaitItsCreditHoweverLateItIsAskedFor) {
  Pacer pacer;
  pacer.set_rate(kRate, kStart);
  send_all(pacer, kStart);
  EXPECT_NEAR(static_cast<double>(send_all(pacer, kStart + 30ms)), 30, 1);
  EXPECT_NEAR(static_cast<double>(send_all(pacer, kStart + 10s)), 50, 1) << "no more than that";
}

TEST(Pacer, KeepsWhatItOwesWhenTheRateChanges) {
  Pacer pacer;
  pacer.set_rate(kRate, kStart);
  pacer.on_sent(10 * kBytes);
  pacer.set_rate(2 * kRate, kStart + 1ms);
  EXPECT_FALSE(pacer.may_send(kStart + 5ms));
  EXPECT_TRUE(pacer.may_send(kStart + 6ms));
}

TEST(Pacer, BeginsAnewWithoutCredit) {
  Pacer pacer;
  pacer.set_rate(kRate, kStart);
  pacer.set_rate(0, kStart + 1ms);
  EXPECT_EQ(send_all(pacer, kStart + 1ms), 1000u);
  pacer.set_rate(kRate, kStart + 1s);
  EXPECT_FALSE(pacer.may_send(kStart + 1s));
  EXPECT_TRUE(pacer.may_send(pacer.next(kStart + 1s)));
}

}  // namespace
}  // namespace qdt::plane
