#include "quic/path_guard.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::quic {
namespace {

UdpPath from(std::uint16_t port) {
  return {{IpAddress::v4(1), 443}, {IpAddress::v4(2), port}};
}

// An engine that follows whatever it is told is new, and knows copies.
class PathGuardTest : public ::testing::Test {
 protected:
  PathGuard::Times times() const { return {.now = now, .rtt = 50ms, .patience = 3s}; }
  // A packet with this number comes by `path`.
  void arrive(const UdpPath& path, std::uint8_t number) {
    const std::vector<std::uint8_t> payload(30, number);
    const UdpPath seen = guard.seen_path(path, times());
    const bool is_new = number > newest;
    if (is_new) {
      newest = number;
      engine = seen;
    }
    guard.on_read({.path = path,
                   .seen = seen,
                   .payload = payload,
                   .engine_path = engine,
                   .is_heard = is_new,
                   .unacknowledged_since = unacknowledged_since},
                  times());
  }

  Timestamp now{1000s};
  Timestamp unacknowledged_since = kNever;
  std::uint8_t newest = 0;
  TriedPaths tried;
  PathGuard guard{from(1), tried};
  UdpPath engine = from(1);
};

TEST_F(PathGuardTest, FollowsAMoveAtOnce) {
  arrive(from(1), 1);
  arrive(from(2), 2);
  EXPECT_EQ(engine, from(2));
  guard.on_verdict(from(2), true, engine, times());
  EXPECT_EQ(guard.home(), from(2));
}

TEST_F(PathGuardTest, StaysHomeOnceHomeBringsCopies) {
  arrive(from(2), 1);
  EXPECT_EQ(engine, from(2));
  arrive(from(1), 1);
  for (std::uint8_t number = 2; number < 50; ++number, now += 100ms) {
    arrive(from(2), number);
    EXPECT_EQ(engine, from(1));
    arrive(from(1), number);
  }
}

TEST_F(PathGuardTest, FollowsWhenHomeFallsSilent) {
  arrive(from(2), 1);
  arrive(from(1), 1);
  arrive(from(3), 2);
  EXPECT_EQ(engine, from(1));
  now += 200ms;
  arrive(from(3), 3);
  EXPECT_EQ(engine, from(3));
}

TEST_F(PathGuardTest, FollowsTheSlowerOneThen) {
  arrive(from(2), 1);
  arrive(from(1), 1);
  arrive(from(2), 2);
  arrive(from(3), 2);
  now += 200ms;
  arrive(from(2), 3);
  EXPECT_EQ(engine, from(3));
}

// After 10 s, 20 s, 40 s, 80 s and 160 s.
TEST_F(PathGuardTest, TriesAnAddressThatDoesNotAnswerMoreAndMoreRarely) {
  int tries = 0;
  for (std::uint8_t number = 1; number < 50; ++number, now += 10s) {
    arrive(from(2), number);
    if (engine == from(1)) continue;
    ++tries;
    engine = from(1);
    guard.on_verdict(from(2), false, engine, times());
  }
  EXPECT_EQ(tries, 6);
}

TEST_F(PathGuardTest, GoesBackFromWhoRelayedTheAnswer) {
  arrive(from(2), 1);
  guard.on_verdict(from(2), true, engine, times());
  arrive(from(1), 1);
  EXPECT_EQ(guard.home(), from(1));
  arrive(from(2), 2);
  EXPECT_EQ(engine, from(1));
}

// In the name of the address that the client has left.
TEST_F(PathGuardTest, StaysWhenTheFormerHomeDoesNotAnswer) {
  arrive(from(2), 1);
  guard.on_verdict(from(2), true, engine, times());
  arrive(from(1), 1);
  engine = from(2);
  guard.on_verdict(from(1), false, engine, times());
  EXPECT_EQ(guard.home(), from(2));
  arrive(from(2), 2);
  arrive(from(1), 2);
  EXPECT_EQ(guard.home(), from(2));
  EXPECT_EQ(engine, from(2));
}

// The client has moved, and somebody sends copies in the name of its old address.
TEST_F(PathGuardTest, LeavesAHomeThatAcknowledgesNothing) {
  arrive(from(2), 1);
  arrive(from(1), 1);
  arrive(from(2), 2);
  EXPECT_EQ(engine, from(1));
  unacknowledged_since = now;
  for (std::uint8_t number = 2; number < 12; ++number, now += 100ms) {
    arrive(from(2), number);
    arrive(from(1), number);
  }
  EXPECT_EQ(engine, from(2));
  guard.on_verdict(from(2), true, engine, times());
  unacknowledged_since = kNever;
  arrive(from(1), 11);
  arrive(from(2), 12);
  EXPECT_EQ(guard.home(), from(2));
  EXPECT_EQ(engine, from(2));
}

TEST_F(PathGuardTest, TakesNothingForACopyThatWasNotHeardElsewhere) {
  arrive(from(1), 9);
  arrive(from(2), 3);  // late, as if made up
  arrive(from(1), 3);
  arrive(from(2), 10);
  EXPECT_EQ(engine, from(2));
}

}  // namespace
}  // namespace qdt::quic
