#include "plane/peer_paths.h"

#include <gtest/gtest.h>

#include "support/seeded_random.h"

namespace qdt::plane {
namespace {

using Kind = PeerPaths::Kind;

UdpPath from(std::uint16_t port) {
  return {{IpAddress::v4(1), 443}, {IpAddress::v4(2), port}};
}

class PeerPathsTest : public ::testing::Test {
 protected:
  PeerPaths::Times times() const { return {.now = now, .rtt = 100ms, .patience = 3s}; }
  bool arrive(const UdpPath& path, std::uint64_t counter, Kind kind = Kind::kNewest) {
    return paths.on_arrival({.path = path, .counter = counter, .kind = kind, .bytes = 100},
                            times());
  }
  // Pings as they are due, by where they go.
  std::optional<wire::PingCookie> ping_to(const UdpPath& path) {
    if (path == paths.current()) return paths.take_ping(now);
    while (const auto ping = paths.take_ping_elsewhere(40, now)) {
      if (ping->path == path) return ping->cookie;
    }
    return std::nullopt;
  }
  void pass(Duration time) {
    now += time;
    paths.expire(times());
  }

  Timestamp now{1000s};
  testing::SeededRandom random{1};
  quic::TriedPaths tried;
  PeerPaths paths{from(1), tried, random};
};

TEST_F(PeerPathsTest, FollowsAtOnceAndIsHomeOnAnAnswer) {
  EXPECT_TRUE(arrive(from(2), 10));
  EXPECT_EQ(paths.current(), from(2));
  EXPECT_TRUE(paths.is_on_trial());
  EXPECT_FALSE(paths.on_pong(*ping_to(from(2)), from(2), times())) << "packets go there already";
  EXPECT_EQ(paths.home(), from(2));
  EXPECT_TRUE(paths.may_send(1'000'000));
}

TEST_F(PeerPathsTest, SendsThreeTimesWhatCame) {
  arrive(from(2), 10);
  EXPECT_TRUE(paths.may_send(300));
  paths.on_sent(300);
  EXPECT_FALSE(paths.may_send(1));
  arrive(from(2), 11);
  EXPECT_TRUE(paths.may_send(300));
}

// After 10 s, 20 s, 40 s and 80 s, for three seconds each.
TEST_F(PeerPathsTest, FollowsWhoNeverAnswersMoreAndMoreRarelyWhateverComesFromThere) {
  std::uint64_t counter = 10;
  for (const Timestamp end = now + 2990ms; now < end; pass(10ms)) arrive(from(2), counter++);
  EXPECT_EQ(paths.current(), from(2));
  pass(20ms);
  EXPECT_EQ(paths.current(), from(1));
  int tries = 0;
  for (const Timestamp end = now + 5min; now < end; pass(100ms)) {
    tries += arrive(from(2), counter++);
    if (paths.current() == from(2)) continue;
    EXPECT_EQ(paths.take_second(10), std::nullopt);
    EXPECT_EQ(ping_to(from(2)), std::nullopt);
  }
  EXPECT_EQ(tries, 4);
}

TEST_F(PeerPathsTest, SendsHomeAsWellUntilItKnows) {
  arrive(from(2), 10);
  EXPECT_EQ(paths.take_second(1000), from(1));
  paths.on_pong(*ping_to(from(2)), from(2), times());
  EXPECT_EQ(paths.take_second(1000), std::nullopt);
}

TEST_F(PeerPathsTest, SendsNothingHomeThatWouldTellOfAMoveOnPurpose) {
  paths.on_arrival({.path = from(2), .counter = 10, .bytes = 100, .has_new_id = true}, times());
  EXPECT_EQ(paths.take_second(1000), std::nullopt);
}

TEST_F(PeerPathsTest, ComesHomeWhenThePacketComesThereAsACopy) {
  arrive(from(2), 10);
  EXPECT_FALSE(arrive(from(1), 9, Kind::kCopy)) << "sent before";
  EXPECT_FALSE(arrive(from(1), 9, Kind::kLate));
  EXPECT_TRUE(arrive(from(1), 10, Kind::kCopy));
  EXPECT_EQ(paths.current(), from(1));
  EXPECT_EQ(paths.take_second(300), from(2)) << "that may be the client";
  EXPECT_EQ(paths.take_second(1), std::nullopt) << "or may not";
}

TEST_F(PeerPathsTest, StaysHomeWhenHomeAnswers) {
  arrive(from(2), 10);
  arrive(from(1), 10, Kind::kCopy);
  const auto cookie = ping_to(from(1));
  EXPECT_TRUE(cookie || paths.is_watching());
  wire::PingCookie home{};
  while (const auto ping = paths.take_ping_elsewhere(40, now)) home = ping->cookie;
  EXPECT_FALSE(paths.on_pong(home, from(2), times())) << "who copies is faster here, too";
  EXPECT_EQ(paths.home(), from(1));
  EXPECT_EQ(paths.take_second(1), std::nullopt);
  EXPECT_FALSE(arrive(from(2), 11));
  EXPECT_EQ(paths.current(), from(1));
}

// Copies in the name of the address that the client has left.
TEST_F(PeerPathsTest, LeavesAHomeThatDoesNotAnswer) {
  arrive(from(2), 10);
  const auto cookie = ping_to(from(2));
  arrive(from(1), 10, Kind::kCopy);
  EXPECT_FALSE(paths.on_pong(*cookie, from(2), times()));
  EXPECT_EQ(paths.take_second(100'000), from(2)) << "it has answered";
  pass(300ms);
  EXPECT_EQ(paths.current(), from(2));
  EXPECT_EQ(paths.home(), from(2));
  EXPECT_FALSE(arrive(from(1), 12, Kind::kCopy));
  pass(1s);
  EXPECT_EQ(paths.current(), from(2));
}

TEST_F(PeerPathsTest, GoesBackFromWhoRelayedTheAnswer) {
  arrive(from(2), 10);
  paths.on_pong(*ping_to(from(2)), from(2), times());
  EXPECT_FALSE(arrive(from(1), 10, Kind::kCopy));
  const auto ping = paths.take_ping_elsewhere(40, now);
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->path, from(1));
  EXPECT_TRUE(paths.on_pong(ping->cookie, from(2), times()));
  EXPECT_EQ(paths.home(), from(1));
  EXPECT_FALSE(arrive(from(2), 11)) << "he has had his turn";
  pass(1s);
  EXPECT_FALSE(arrive(from(2), 12));
}

TEST_F(PeerPathsTest, GoesBackFromWhereTheConnectionWasValidatedByRelay) {
  arrive(from(2), 10);
  EXPECT_FALSE(paths.on_validated(from(2), times()));
  EXPECT_FALSE(paths.on_validated(from(2), times()));
  arrive(from(1), 10, Kind::kCopy);
  const auto ping = paths.take_ping_elsewhere(40, now);
  ASSERT_TRUE(ping);
  EXPECT_TRUE(paths.on_pong(ping->cookie, from(2), times()));
  EXPECT_EQ(paths.home(), from(1));
}

TEST_F(PeerPathsTest, AsksFirstForAMinuteAfterSomebodyCopied) {
  arrive(from(2), 10);
  arrive(from(1), 10, Kind::kCopy);
  pass(4s);
  EXPECT_FALSE(arrive(from(3), 11));
  EXPECT_EQ(paths.current(), from(1));
  EXPECT_FALSE(paths.on_pong(*ping_to(from(3)), from(3), times())) << "home is asked, too";
  pass(300ms);
  EXPECT_EQ(paths.current(), from(3)) << "and has not answered";
}

TEST_F(PeerPathsTest, FindsTheClientThatMovesWhileSomebodyIsFaster) {
  arrive(from(2), 10);
  arrive(from(1), 10, Kind::kCopy);
  pass(4s);
  arrive(from(2), 11);
  arrive(from(3), 11, Kind::kCopy);
  const auto cookie = ping_to(from(3));
  ASSERT_TRUE(cookie);
  paths.on_pong(*cookie, from(2), times());
  pass(300ms);
  EXPECT_EQ(paths.current(), from(3));
}

TEST_F(PeerPathsTest, PingsNobodyMoreThanThreeTimesWhatCame) {
  arrive(from(2), 10);
  arrive(from(1), 10, Kind::kCopy);
  pass(4s);
  paths.on_arrival({.path = from(3), .counter = 11, .bytes = 30}, times());
  std::size_t sent = 0;
  for (int i = 0; i < 300; ++i, pass(10ms)) {
    while (const auto ping = paths.take_ping_elsewhere(40, now))
      sent += ping->path == from(3) ? 40 : 0;
  }
  EXPECT_GT(sent, 0u);
  EXPECT_LE(sent, 90u);
}

}  // namespace
}  // namespace qdt::plane
