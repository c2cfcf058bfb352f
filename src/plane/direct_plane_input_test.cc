// Input that no honest peer sends is dropped, named, and without effect.

#include "plane/direct_plane_fixture.h"

namespace qdt::plane {
namespace {

// State that a bad packet must not touch.
struct State {
  explicit State(const DirectPlane& plane)
      : is_usable(plane.is_usable()),
        path(plane.path()),
        rtt(plane.rtt()),
        delivered(plane.view().delivered_bytes),
        shaper(plane.shaper().state()),
        rate(plane.shaper().rate()),
        timeout(plane.next_timeout()) {}
  bool operator==(const State&) const = default;

  bool is_usable;
  UdpPath path;
  Duration rtt;
  std::uint64_t delivered;
  Shaper::State shaper;
  double rate;
  Timestamp timeout;
};

class DirectPlaneBadInput : public DirectPlaneTest {
 protected:
  void SetUp() override {
    DirectPlaneTest::SetUp();
    come_up();
    send(packet(1000));
    sent();
    passed = 20ms;
    // The ping and the packet have arrived.
    ASSERT_FALSE(tell({.highest = 1, .arrived_us = 5000, .packets = 2, .bytes = 1067}));
    passed = 100ms;
    flush();
    send(packet(1000));
    sent();
    passed = 120ms;  // and have not told of feedback, the third, and a packet
  }
  // From any address at all.
  void expect_nothing_moves(Bytes sealed, Drop drop) {
    for (const UdpPath& path : {kPath, kElsewhere}) {
      const State before(*plane);
      EXPECT_EQ(give(sealed, path), drop);
      EXPECT_EQ(State(*plane), before);
    }
    EXPECT_TRUE(flush().empty());
  }
  void expect_no_faith_in(const wire::Feedback& feedback) {
    const State before(*plane);
    EXPECT_EQ(tell(feedback), Drop::kBadFeedback);
    EXPECT_EQ(State(*plane), before);
    EXPECT_FALSE(tell(kTrue)) << "what is true counts still";
    EXPECT_EQ(plane->view().delivered_bytes, 2158u);
  }

  static constexpr wire::Feedback kTrue = {
      .highest = 3, .arrived_us = 105'000, .packets = 4, .bytes = 2158};
};

TEST_F(DirectPlaneBadInput, Forged) {
  Octets sealed = seal(packet(100));
  sealed.back() ^= 1;
  expect_nothing_moves(sealed, Drop::kForged);
  sealed.back() ^= 1;
  EXPECT_FALSE(give(sealed)) << "its counter is still free";
}

TEST_F(DirectPlaneBadInput, Replayed) {
  const Octets sealed = seal(packet(100));
  const Octets later = seal(packet(100));
  EXPECT_FALSE(give(sealed));
  EXPECT_FALSE(give(later));
  passed = 200ms;
  flush();
  expect_nothing_moves(sealed, Drop::kReplayed);
  expect_nothing_moves(later, Drop::kReplayed);
}

TEST_F(DirectPlaneBadInput, Truncated) {
  const Octets sealed = seal(packet(100));
  expect_nothing_moves(Bytes(sealed).first(sealed.size() - 1), Drop::kForged);
  expect_nothing_moves(Bytes(sealed).first(wire::kDirectOverhead), Drop::kForged);
  expect_nothing_moves(Bytes(sealed).first(wire::kDirectOverhead - 1), Drop::kShort);
  expect_nothing_moves({}, Drop::kShort);
}

TEST_F(DirectPlaneBadInput, Reflected) {
  send(packet(1000));
  Octets own;
  for_each_payload(out.bursts()[0], [&](Bytes payload) { own = octets(payload); });
  out.clear();
  expect_nothing_moves(own, Drop::kForged);
  append(MutableBytes(own).subspan(1), kServerIds[0]);
  expect_nothing_moves(own, Drop::kForged);
}

TEST_F(DirectPlaneBadInput, OfAnotherSession) {
  wire::DirectSealer other(kSecrets.algorithm, {3}, now(), 1000);
  Octets sealed(100 + wire::kDirectOverhead);
  other.seal(kServerIds[0], packet(100), sealed, now());
  expect_nothing_moves(sealed, Drop::kForged);
}

TEST_F(DirectPlaneBadInput, OfAnOldPhaseAfterThreeProbeTimeouts) {
  const Octets first = seal(packet(100));
  const Octets second = seal(packet(100));
  sealer.acknowledge(sealer.next_counter() - 1);
  sealer.update_key(now());
  EXPECT_FALSE(give(seal(packet(100))));
  passed += 499ms;
  EXPECT_FALSE(give(first));
  passed += 1ms;
  flush();
  expect_nothing_moves(second, Drop::kForged);
}

TEST_F(DirectPlaneBadInput, FeedbackAboutWhatWasNotSent) {
  expect_no_faith_in({.highest = 4, .arrived_us = 105'000, .packets = 4, .bytes = 2158});
}

TEST_F(DirectPlaneBadInput, FeedbackAboutMorePacketsThanAreMissing) {
  expect_no_faith_in({.highest = 3, .arrived_us = 105'000, .packets = 8197, .bytes = 1 << 20});
  EXPECT_EQ(tell({.highest = ~std::uint64_t{0}, .packets = 5, .bytes = 3000}), Drop::kBadFeedback);
}

TEST_F(DirectPlaneBadInput, FeedbackThatGoesBackwards) {
  expect_no_faith_in({.highest = 3, .arrived_us = 105'000, .packets = 1, .bytes = 2158});
  send(packet(1000));
  EXPECT_EQ(tell({.highest = 4, .arrived_us = 110'000, .packets = 5, .bytes = 2157}),
            Drop::kBadFeedback);
}

TEST_F(DirectPlaneBadInput, FeedbackHeldForLongerThanTheRoundTrip) {
  expect_no_faith_in(
      {.highest = 3, .arrived_us = 105'000, .held_us = 20'001, .packets = 4, .bytes = 2158});
}

TEST_F(DirectPlaneBadInput, FeedbackOfMoreMarksThanPackets) {
  expect_no_faith_in(
      {.highest = 3, .arrived_us = 105'000, .packets = 4, .bytes = 2158, .marked = 3});
}

TEST_F(DirectPlaneBadInput, FeedbackOfMoreBytesThanPacketsHave) {
  expect_no_faith_in(
      {.highest = 3, .arrived_us = 105'000, .packets = 4, .bytes = 1067 + 2 * 1472 + 1});
  send(packet(1000));
  EXPECT_EQ(tell({.highest = 4, .arrived_us = 110'000, .packets = 5, .bytes = ~std::uint64_t{0}}),
            Drop::kBadFeedback);
}

TEST_F(DirectPlaneBadInput, FeedbackThatCameLateMovesNothing) {
  ASSERT_FALSE(tell(kTrue));
  const State before(*plane);
  EXPECT_FALSE(tell({.highest = 1, .arrived_us = 5000, .packets = 2, .bytes = 1067}));
  EXPECT_EQ(State(*plane), before);
}

}  // namespace
}  // namespace qdt::plane
