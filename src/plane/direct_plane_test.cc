#include "plane/direct_plane_fixture.h"

namespace qdt::plane {
namespace {

TEST_F(DirectPlaneTest, PingsAtGrowingIntervalsUntilItIsAnswered) {
  std::vector<Duration> pinged;
  while (passed < 20s) {
    if (!flush().empty()) pinged.push_back(passed);
    passed = std::max(passed + 1ms, plane->next_timeout() - world.now());
  }
  EXPECT_EQ(pinged, (std::vector<Duration>{0ms, 250ms, 750ms, 1750ms, 3750ms, 7750ms, 15750ms}));
  EXPECT_FALSE(plane->is_usable());
}

TEST_F(DirectPlaneTest, IsUsableOnceItsPingIsAnswered) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  passed = 10s;
  flush();
  EXPECT_TRUE(plane->is_usable()) << "nothing was sent that calls for an answer";
}

TEST_F(DirectPlaneTest, TakesNobodyElsesPong) {
  flush();
  EXPECT_FALSE(give(pong({1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_FALSE(plane->is_usable());
}

TEST_F(DirectPlaneTest, AnswersAPingAtOnce) {
  flush();
  EXPECT_FALSE(give(seal(wire::encode_ping(DirectFrameType::kPing, {7}))));
  const auto answers = flush();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].frames[0], DirectFrameType::kPong);
}

TEST_F(DirectPlaneTest, CountsAsDeadAfterHalfASecondWithoutAnAnswer) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  ASSERT_EQ(send(packet(1000)), Step::kDone);
  passed = 499ms;
  flush();
  EXPECT_TRUE(plane->is_usable());
  passed = 500ms;
  flush();
  EXPECT_FALSE(plane->is_usable());
  EXPECT_TRUE(plane->take_quic_question());
}

TEST_F(DirectPlaneTest, AsksAgainBeforeItCountsAsDead) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  flush();  // feedback about the pong
  ASSERT_EQ(send(packet(1000)), Step::kDone);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(plane->next_timeout(), world.now() + 250ms);
  passed = 250ms;
  const auto pings = flush();
  ASSERT_EQ(pings.size(), 1u);
  EXPECT_FALSE(give(pong(pings[0].cookie)));
  EXPECT_FALSE(tell({.highest = 3, .arrived_us = 1, .packets = 4, .bytes = 1167}));
  passed = 10s;
  flush();
  EXPECT_TRUE(plane->is_usable()) << "only the feedback was lost";
}

TEST_F(DirectPlaneTest, AsksForNothingByFeedbackAlone) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  EXPECT_FALSE(give(seal(packet(100))));
  passed = 30ms;
  EXPECT_EQ(flush()[0].frames, std::vector{DirectFrameType::kFeedback});
  passed = 10s;
  flush();
  EXPECT_TRUE(plane->is_usable());
}

TEST_F(DirectPlaneTest, AnswersNoFeedbackNorPadding) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  passed = 100ms;
  flush();
  const auto feedback = wire::encode_feedback({.highest = 0, .packets = 1, .bytes = 38});
  Octets padded = octets(feedback);
  padded.resize(300);
  EXPECT_FALSE(give(seal(feedback)));
  EXPECT_FALSE(give(seal(padded)));
  EXPECT_FALSE(give(seal(Octets(5))));
  passed = 200ms;
  EXPECT_TRUE(flush().empty());
  EXPECT_FALSE(give(seal(packet(20))));
  passed = 300ms;
  EXPECT_EQ(flush().size(), 1u);
}

// --- addresses ---

TEST_F(DirectPlaneTest, FollowsTheNewestPacket) {
  const Octets old = seal(packet(100));
  EXPECT_FALSE(give(seal(packet(100))));
  EXPECT_FALSE(give(old, kElsewhere));
  EXPECT_EQ(plane->path(), kPath) << "overtaken";
  EXPECT_FALSE(give(seal(packet(100)), kElsewhere));
  EXPECT_EQ(plane->path(), kElsewhere);
  EXPECT_FALSE(give(seal(packet(100))));
  EXPECT_EQ(plane->path(), kPath);
}

TEST_F(DirectPlaneTest, ReplaysFromElsewhereDoNotMoveIt) {
  const Octets sealed = seal(packet(100));
  EXPECT_FALSE(give(sealed));
  EXPECT_EQ(give(sealed, kElsewhere), Drop::kReplayed);
  EXPECT_EQ(plane->path(), kPath);
}

TEST_F(DirectPlaneTest, SendsAnUnknownAddressThreeTimesWhatCameFromIt) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  std::size_t given = 0;
  std::size_t got = 0;
  for (const std::size_t bytes : {20u, 20u, 60u, 1300u}) {
    const Octets sealed = seal(packet(bytes));
    EXPECT_FALSE(give(sealed, kElsewhere));
    given += sealed.size();
    for (const std::size_t reply : {1400u, 600u, 600u, 400u, 400u, 400u, 20u}) {
      send(packet(reply));
    }
    got += bytes_to(kElsewhere);
    EXPECT_GT(got, 0u);
    EXPECT_LE(got, 3 * given);
  }
}

// Not one packet more comes from the address: nothing more goes there, however often it is time
// for a ping, and however much waits.
TEST_F(DirectPlaneTest, LeavesASilentAddressInPeace) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  const Octets sealed = seal({});
  EXPECT_FALSE(give(sealed, kElsewhere));
  std::size_t got = 0;
  int wake_ups = 0;
  for (const Duration end = passed + 100s; passed < end; ++wake_ups) {
    for (int i = 0; i < 5; ++i) send(packet(400));
    got += bytes_to(kElsewhere);
    passed = std::max(passed, plane->next_timeout() - world.now());
    ASSERT_LT(wake_ups, 100) << "after " << passed / 1ms << " ms";
  }
  EXPECT_GT(got, 0u) << "a ping";
  EXPECT_LE(got, 3 * sealed.size());
}

TEST_F(DirectPlaneTest, HasNoLimitOnceTheAddressHasAnswered) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  EXPECT_FALSE(give(seal(packet(100)), kElsewhere));
  const auto pings = flush();
  ASSERT_EQ(pings.size(), 1u);
  EXPECT_EQ(pings[0].path, kElsewhere);
  EXPECT_FALSE(give(pong(pings[0].cookie), kElsewhere));
  std::size_t taken = 0;
  while (taken < 10 && send(packet(1100)) == Step::kDone) ++taken;
  EXPECT_EQ(taken, 10u);
}

TEST_F(DirectPlaneTest, AnAnswerFromAnotherAddressValidatesNothing) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  const Octets first = seal(packet(100));
  EXPECT_FALSE(give(seal(packet(100)), kElsewhere));
  const auto cookie = flush().at(0).cookie;
  const UdpPath third{kServer, {IpAddress::v4(0x0a000063), 8}};
  EXPECT_FALSE(give(pong(cookie), third));  // and it is there now
  EXPECT_EQ(plane->path(), third);
  EXPECT_EQ(send(packet(1100)), Step::kBlocked);
}

// The request for the session came in the name of an address that never answered, as all that
// follows does, and the client claims to get what goes there.
TEST_F(DirectPlaneTest, BeginsWhereTheClientHasAnswered) {
  UdpSendQueue unused(8);
  world.set_link(kClient, {.passes = [&](Bytes payload) {
                   server.endpoint.receive(kElsewhere, Ecn::kNotEct, payload, unused, world.now());
                   return false;
                 }});
  client.datagrams.emplace_back("x");
  world.flush();
  ASSERT_EQ(server.connection->path(), kElsewhere);
  open_plane();
  EXPECT_EQ(plane->path(), kPath);

  wire::Feedback claim;
  std::size_t given = 0;
  std::size_t got = 0;
  std::size_t got_late = 0;
  for (const Duration end = passed + 10s; passed < end; passed += 10ms) {
    for (const Sent& one : flush()) {
      if (one.path == kElsewhere) got += one.bytes;
      if (one.path == kElsewhere && end - passed < 5s) got_late += one.bytes;
      if (one.frames.empty()) continue;  // went to both addresses
      claim.highest = claim.packets++;
      claim.bytes += one.bytes;
    }
    const Octets sealed = seal(wire::encode_feedback(claim));
    EXPECT_FALSE(give(sealed, kElsewhere));
    given += sealed.size();
    for (int i = 0; i < 5; ++i) send(packet(400));
  }
  EXPECT_LE(got, 3 * given);
  EXPECT_EQ(got_late, 0u);
}

TEST_F(DirectPlaneTest, FollowsTenMovesASecond) {
  std::uint16_t port = 1;
  const auto moves = [&] {
    std::size_t count = 0;
    for (int i = 0; i < 100; ++i, ++port) {
      const UdpPath path{kServer, {kClient.address, port}};
      EXPECT_FALSE(give(seal(packet(100)), path));
      count += plane->path() == path;
    }
    return count;
  };
  EXPECT_EQ(moves(), 10u);
  passed += 999ms;
  EXPECT_EQ(moves(), 0u);
  passed += 1ms;
  EXPECT_EQ(moves(), 10u);
}

// Somebody on the way sends a copy from elsewhere before each packet.
TEST_F(DirectPlaneTest, FollowsTheClientHomeHoweverOftenItMoved) {
  const UdpPath third{kServer, {IpAddress::v4(0x0a000063), 8}};
  EXPECT_FALSE(give(seal(packet(100)), third));
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(give(seal(packet(100)), kElsewhere));
    EXPECT_FALSE(give(seal(packet(100))));
    EXPECT_EQ(plane->path(), kPath);
  }
}

TEST_F(DirectPlaneTest, TakesItsNextIdWhenTheClientDoes) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  const auto id_after = [&](const Octets& sealed, const UdpPath& path) {
    EXPECT_FALSE(give(sealed, path));
    passed += 100ms;  // feedback is due
    return flush().at(0).id;
  };
  EXPECT_EQ(id_after(seal(packet(100), 0), kElsewhere), kClientIds[0]) << "a NAT's doing";
  EXPECT_EQ(id_after(seal(packet(100), 1), kPath), kClientIds[1]);
  EXPECT_EQ(id_after(seal(packet(100), 0), kElsewhere), kClientIds[2]);
  EXPECT_EQ(id_after(seal(packet(100), 1), kPath), kClientIds[0]);
}

// --- what waits ---

TEST_F(DirectPlaneTest, SpendsItsPhaseUntilAPacketWasSeen) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  const auto send = [&] {
    this->send(packet(1000));
    return sent().size();
  };
  EXPECT_EQ(send(), 1u);
  passed = 1h;
  EXPECT_EQ(send(), 1u);  // opened by read(): no phase was left out
  EXPECT_FALSE(tell({.highest = 0, .arrived_us = 1, .packets = 1, .bytes = 38}));
  EXPECT_EQ(send(), 1u);
  passed = 2h;
  EXPECT_EQ(send(), 1u);
}

TEST_F(DirectPlaneTest, GivesNothingToASocketThatTakesNothing) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  out.set_stalled(true);
  EXPECT_EQ(send(packet(1000)), Step::kFull);
  EXPECT_EQ(send(packet(100)), Step::kDone);
  EXPECT_EQ(plane->flush(out, now()), Step::kFull);
  EXPECT_TRUE(sent().empty());
  out.set_stalled(false);
  EXPECT_EQ(flush().size(), 1u);
}

TEST_F(DirectPlaneTest, OwesNoAnswerForWhatDidNotLeave) {
  ASSERT_NO_FATAL_FAILURE(come_up());
  out.set_stalled(true);
  EXPECT_EQ(send(packet(1000)), Step::kFull);
  out.set_stalled(false);
  EXPECT_FALSE(give(seal(packet(100))));
  passed = 30ms;
  EXPECT_EQ(flush()[0].frames, std::vector{DirectFrameType::kFeedback});
  passed = 2s;
  flush();
  EXPECT_TRUE(plane->is_usable()) << "feedback is not answered";
}

}  // namespace
}  // namespace qdt::plane
