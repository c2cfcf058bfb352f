#include "client/reconnect.h"

#include <gtest/gtest.h>

#include "support/seeded_random.h"

namespace qdt::client {
namespace {

using Kind = Ending::Kind;

constexpr Timestamp kStart{Duration(100s)};

const Ending kLost{Kind::kLost, "the peer fell silent"};
const Ending kSilence{Kind::kUnreachable, "no answer"};
const Ending kBusy{Kind::kRefused, "server busy"};
const Ending kUnauthorized{Kind::kRefused, "unauthorized", /*is_lasting=*/true};

class ReconnectTest : public ::testing::Test {
 protected:
  static Reconnect::Options waiting() { return {.waits_for_server = true}; }
  // One that was connected for a minute.
  Reconnect connected_for_a_minute() {
    Reconnect connected({}, random, kStart - 1min);
    connected.on_connected(kStart - 1min);
    return connected;
  }

  testing::SeededRandom random{1};
  Reconnect reconnect{{}, random, kStart};
};

TEST_F(ReconnectTest, BeginsAtOnceWithTheWholeTimeout) {
  EXPECT_EQ(reconnect.state(), State::kConnecting);
  EXPECT_EQ(reconnect.next_attempt(), kStart);
  EXPECT_EQ(reconnect.attempt_timeout(), 10s);
}

TEST_F(ReconnectTest, GivesUpWhenTheFirstAttemptFails) {
  EXPECT_FALSE(reconnect.on_ended(kSilence, kStart));
  EXPECT_FALSE(reconnect.on_ended(kUnauthorized, kStart));
}

TEST_F(ReconnectTest, WaitsOutARefusalThatPassesAtTheFirstAttemptToo) {
  EXPECT_TRUE(reconnect.on_ended(kBusy, kStart));
  EXPECT_EQ(reconnect.state(), State::kRefused);
  EXPECT_EQ(reconnect.reason(), "server busy");
  EXPECT_GE(reconnect.next_attempt(), kStart + 200ms);
  EXPECT_FALSE(reconnect.on_ended(kUnauthorized, kStart));
}

TEST_F(ReconnectTest, LeavesTheServerAloneForAsLongAsItAsks) {
  Ending limited = kBusy;
  limited.retry_after = 20s;
  EXPECT_TRUE(reconnect.on_ended(limited, kStart));
  EXPECT_GE(reconnect.next_attempt(), kStart + 20s);
  EXPECT_LE(reconnect.next_attempt(), kStart + 40s);
}

TEST_F(ReconnectTest, IsNotSentAwayForADay) {
  Ending limited = kBusy;
  limited.retry_after = 24h;
  EXPECT_TRUE(reconnect.on_ended(limited, kStart));
  EXPECT_LE(reconnect.next_attempt(), kStart + 4min);
}

TEST_F(ReconnectTest, WaitsForTheServerWhereItIsToldTo) {
  Reconnect patient(waiting(), random, kStart);
  EXPECT_TRUE(patient.on_ended(kSilence, kStart));
  EXPECT_EQ(patient.state(), State::kConnecting);
  EXPECT_EQ(patient.reason(), "no answer");
  EXPECT_GT(patient.next_attempt(), kStart);
  EXPECT_FALSE(patient.on_ended(kUnauthorized, kStart));
}

TEST_F(ReconnectTest, TriesAtOnceAfterALongSession) {
  Reconnect lost = connected_for_a_minute();
  EXPECT_TRUE(lost.on_ended(kLost, kStart));
  EXPECT_EQ(lost.state(), State::kReconnecting);
  EXPECT_EQ(lost.since(), kStart);
  EXPECT_EQ(lost.next_attempt(), kStart);
  EXPECT_EQ(lost.attempt_timeout(), 3s);
}

TEST_F(ReconnectTest, GivesAnAttemptTwiceWhatTheLastOneTook) {
  Reconnect slow({}, random, kStart - 1min);
  slow.on_connected(kStart - 1min, 4500ms);
  EXPECT_TRUE(slow.on_ended(kLost, kStart));
  EXPECT_EQ(slow.attempt_timeout(), 9s);
  slow.on_connected(kStart, 9s);
  EXPECT_EQ(slow.attempt_timeout(), 10s);
}

TEST_F(ReconnectTest, WaitsAfterASessionThatHardlyLived) {
  reconnect.on_connected(kStart);
  EXPECT_TRUE(reconnect.on_ended(kLost, kStart + 1s));
  EXPECT_GE(reconnect.next_attempt(), kStart + 1s + 200ms);
}

TEST_F(ReconnectTest, SessionsThatHardlyLiveMakeItWaitLongerAndLonger) {
  Timestamp now = kStart;
  for (int i = 0; i < 50; ++i) {
    reconnect.on_connected(now);
    EXPECT_TRUE(reconnect.on_ended(kLost, now));
    now = reconnect.next_attempt();
  }
  EXPECT_GT(now - kStart, 2min);
}

TEST_F(ReconnectTest, SessionsOfSecondsDoNotAddUp) {
  Timestamp now = kStart;
  for (int i = 0; i < 50; ++i) {
    reconnect.on_connected(now);
    now += 2s;
    EXPECT_TRUE(reconnect.on_ended(kLost, now));
    EXPECT_LE(reconnect.next_attempt() - now, 600ms);
    now = reconnect.next_attempt();
  }
}

TEST_F(ReconnectTest, TriesForEverAndAtLeastTwiceAMinute) {
  Reconnect lost = connected_for_a_minute();
  Timestamp now = kStart;
  EXPECT_TRUE(lost.on_ended(kLost, now));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(lost.on_ended(kSilence, now));
    EXPECT_LE(lost.next_attempt() - now, 30s);
    now = lost.next_attempt();
  }
  EXPECT_EQ(lost.since(), kStart);
  EXPECT_EQ(lost.attempt_timeout(), 10s);
}

TEST_F(ReconnectTest, AsksOnceAMinuteWhatWillNotMendItself) {
  Reconnect refused = connected_for_a_minute();
  EXPECT_TRUE(refused.on_ended(kUnauthorized, kStart));
  EXPECT_EQ(refused.state(), State::kRefused);
  EXPECT_EQ(refused.reason(), "unauthorized");
  EXPECT_EQ(refused.next_attempt(), kStart + 1min);
}

TEST_F(ReconnectTest, AsksABusyServerSooner) {
  Reconnect refused = connected_for_a_minute();
  EXPECT_TRUE(refused.on_ended(kLost, kStart));
  EXPECT_TRUE(refused.on_ended(kBusy, kStart));
  EXPECT_EQ(refused.state(), State::kRefused);
  EXPECT_LE(refused.next_attempt(), kStart + 600ms);
}

TEST_F(ReconnectTest, TriesAtOnceWhenTheNetworkChanges) {
  Reconnect lost = connected_for_a_minute();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(lost.on_ended(kSilence, kStart));
  lost.on_network_change(kStart + 1ms);
  EXPECT_EQ(lost.next_attempt(), kStart + 1ms);
  EXPECT_EQ(lost.attempt_timeout(), 3s);
  EXPECT_TRUE(lost.on_ended(kSilence, kStart + 1s));
  EXPECT_LE(lost.next_attempt(), kStart + 1s + 600ms);
}

TEST_F(ReconnectTest, ForgetsTheReasonOnceItIsConnected) {
  Reconnect lost = connected_for_a_minute();
  EXPECT_TRUE(lost.on_ended(kUnauthorized, kStart));
  lost.on_connected(kStart + 1min);
  EXPECT_EQ(lost.state(), State::kConnected);
  EXPECT_EQ(lost.reason(), "");
  EXPECT_EQ(lost.since(), kStart + 1min);
  EXPECT_EQ(lost.connects(), 2u);
}

}  // namespace
}  // namespace qdt::client
