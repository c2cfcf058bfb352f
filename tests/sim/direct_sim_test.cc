// The direct data plane between real tunnels, over simulated links.

#include <gtest/gtest.h>

#include "sim/direct_sim.h"

namespace qdt::testing {
namespace {

TEST_F(DirectSim, BothSidesTakeItAfterARoundTrip) {
  ASSERT_TRUE(connect());
  EXPECT_TRUE(world.run_until([&] { return is_direct(); }, 200ms));
}

TEST_F(DirectSim, CarriesPacketsBothWays) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  ASSERT_TRUE(is_direct());
  client.inject(up(1300, 7), world.now());
  server.inject(down(900, 8), world.now());
  world.run_for(100ms);
  ASSERT_EQ(server.delivered.size(), 1u);
  EXPECT_EQ(server.delivered[0], up(1300, 7));
  ASSERT_EQ(client.delivered.size(), 1u);
  EXPECT_EQ(client.delivered[0], down(900, 8));
}

TEST_F(DirectSim, JoinsSmallPacketsInOrder) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  const std::uint64_t before = world.delivered();
  PacketBatch batch;
  for (std::uint8_t i = 0; i < 20; ++i) batch.push(up(60, i));
  for (const Bytes packet : batch) client.tunnel().forward(packet, world.now());
  world.run_for(9ms);
  world.run_for(50ms);
  ASSERT_EQ(server.delivered.size(), 20u);
  for (std::uint8_t i = 0; i < 20; ++i) EXPECT_EQ(server.delivered[i], up(60, i));
  EXPECT_LE(world.delivered() - before, 4u);
}

TEST_F(DirectSim, CutsWhatDoesNotFit) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  client.inject(up(4000, 3), world.now());
  world.run_for(100ms);
  ASSERT_EQ(server.delivered.size(), 1u);
  EXPECT_EQ(server.delivered[0], up(4000, 3));
}

TEST_F(DirectSim, GoesBackToTheQuicPlaneWhileItsPacketsVanish) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  ASSERT_TRUE(is_direct());
  world.set_link(kClientAddress, {.delay = 10ms, .passes = [&](Bytes payload) {
                                    return !is_direct_to(server_session(), payload);
                                  }});
  const std::size_t lost = send_for(3s);
  EXPECT_FALSE(client.session().direct()->is_usable());
  EXPECT_LE(lost, 70u);  // half a second of a packet each 10 ms
  world.set_link(kClientAddress, {.delay = 10ms});
  EXPECT_EQ(send_for(5s), 0u);
  EXPECT_TRUE(is_direct());
}

// The shaper lets packets wait while it finds out about the path; not on the other plane.
TEST_F(DirectSim, TellsSendersToSlowDownWhenThePlaneIsLostInAnExperiment) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  ASSERT_TRUE(is_direct());
  bool is_open = true;
  world.set_link(kClientAddress, {.delay = 10ms,
                                  .bits_per_second = 10e6,
                                  .queue_bytes = 500'000,
                                  .passes = [&](Bytes payload) {
                                    return is_open || !is_direct_to(server_session(), payload);
                                  }});
  const auto send_until = [&](auto&& done) {
    for (const Timestamp end = world.now() + 5s; world.now() < end && !done();) {
      client.inject(up(1250), world.now());
      world.run_for(800us);
    }
  };
  const auto is_trying = [&] {
    return client.session().direct()->shaper().state() == plane::Shaper::State::kTrying;
  };
  send_until(is_trying);
  ASSERT_TRUE(is_trying());
  is_open = false;
  send_until([] { return false; });
  EXPECT_FALSE(client.session().direct()->is_usable());
  const std::uint64_t before = client.drops().value(Drop::kQueueDelay);
  send_until([] { return false; });
  EXPECT_GT(client.drops().value(Drop::kQueueDelay), before + 100);
}

// A queue that is somebody else's: what waited for the experiment leaves again, however much its
// sender has sent meanwhile.
TEST_F(DirectSim, DropsNothingForAnExperimentThatWasOfNoUse) {
  using State = plane::Shaper::State;
  ASSERT_TRUE(connect());
  world.run_for(2s);
  ASSERT_TRUE(is_direct());
  const auto state = [&] { return client.session().direct()->shaper().state(); };
  const auto send_every = [&](Duration interval, Duration duration, auto&& done) {
    for (const Timestamp end = world.now() + duration; world.now() < end && !done();) {
      client.inject(up(1250), world.now());
      world.run_for(interval);
    }
  };
  const auto never = [] { return false; };
  send_every(2500us, 1s, never);
  world.set_link(kClientAddress, {.delay = 100ms});
  send_every(2500us, 5s, [&] { return state() == State::kTrying; });
  ASSERT_EQ(state(), State::kTrying);
  send_every(1ms, 5s, [&] { return state() == State::kReleased; });
  ASSERT_EQ(state(), State::kReleased);
  send_every(1ms, 1s, never);
  EXPECT_EQ(client.drops().value(Drop::kQueueDelay), 0u);
}

TEST_F(DirectSim, UpdatesItsKeysWithoutAGap) {
  ASSERT_TRUE(connect());
  world.run_for(1s);
  for (int i = 0; i < 25 * 60; ++i) {
    client.inject(up(500), world.now());
    server.inject(down(500), world.now());
    world.run_for(1s);
  }
  EXPECT_EQ(server.delivered.size(), 25u * 60);
  EXPECT_EQ(client.delivered.size(), 25u * 60);
  EXPECT_TRUE(is_direct());
  EXPECT_EQ(server.drops().value(Drop::kForged) + client.drops().value(Drop::kForged), 0u);
}

TEST_F(DirectSim, FollowsAClientWhoseNatForgotIt) {
  ASSERT_TRUE(connect());
  world.run_for(2s);
  world.translate(kClientAddress, {kClientAddress.address, 50001});
  EXPECT_LE(send_for(2s), 1u);
  EXPECT_TRUE(is_direct());
  EXPECT_EQ(server_session().direct()->path().remote.port, 50001);
  EXPECT_EQ(connection_of(server_session()).path().remote.port, 50001) << "moved along";
}

TEST_F(DirectSim, ShrinksWithThePath) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  ASSERT_TRUE(is_direct());
  set_links({.delay = 10ms, .max_payload_bytes = 1272});
  send_for(1500ms, 1300);
  EXPECT_EQ(send_for(2s, 1300), 0u);
  EXPECT_TRUE(is_direct());
}

// The path shrinks under a sender that does as TCP does when nothing is acknowledged: one packet at
// a time, after twice the time. How long it takes until one comes through.
class NarrowedSim : public DirectSim {
 protected:
  Duration time_to_recover(Duration between_small_ones) {
    EXPECT_TRUE(connect());
    world.run_for(3s);
    EXPECT_EQ(send_for(500ms, 1300), 0u);
    set_links({.delay = 10ms, .max_payload_bytes = 1272});
    const Timestamp begin = world.now();
    bool has_recovered = false;
    server.on_packet = [&](Bytes packet, Timestamp) { has_recovered |= packet.size() == 1300; };
    for (int i = 0; i < 50; ++i) client.inject(up(1300), world.now());
    Duration pause = 200ms;
    Timestamp next_large = begin + pause;
    while (!has_recovered && world.now() - begin < 20s) {
      world.run_for(between_small_ones);
      client.inject(up(100), world.now());
      if (world.now() < next_large) continue;
      client.inject(up(1300), world.now());
      pause *= 2;
      next_large = world.now() + pause;
    }
    return world.now() - begin;
  }
};

TEST_F(NarrowedSim, CarriesTheNextButOneOfASenderThatBacksOff) {
  EXPECT_LE(time_to_recover(1s), 3s);
}

TEST_F(NarrowedSim, IsNotDeceivedBySmallPacketsThatArrive) {
  EXPECT_LE(time_to_recover(50ms), 3s);
}

TEST_F(DirectSim, CopesWithCopiesLossAndReordering) {
  ASSERT_TRUE(connect());
  world.run_for(1s);
  set_links({.delay = 10ms, .loss = 0.05, .duplicates = 0.1, .reordered = 0.1});
  const std::size_t lost = send_for(10s);
  EXPECT_LE(lost, 100u);  // of a thousand
  EXPECT_GT(server.drops().value(Drop::kReplayed), 20u);
  EXPECT_EQ(server.drops().value(Drop::kBadFeedback) + client.drops().value(Drop::kBadFeedback),
            0u);
  EXPECT_TRUE(is_direct());
}

TEST_F(DirectSim, OffersNothingOfItToAPlainPeer) {
  ClientNode plain({.caps = {}}, 3);
  world.attach(kClient2Address, plain, {.delay = 10ms});
  ASSERT_TRUE(connect(plain, kClient2Address));
  EXPECT_EQ(plain.response->caps, wire::Capabilities{});
  EXPECT_TRUE(plain.response->direct_ids.empty());
  EXPECT_EQ(plain.session().direct(), nullptr);
  EXPECT_EQ(server_session().direct(), nullptr);
  server.inject(udp_packet(kInternet, plain.response->client_ip, 900), world.now());
  world.run_for(100ms);
  EXPECT_EQ(plain.delivered.size(), 1u);
}

TEST_F(DirectSim, StaysOnTheQuicPlaneWithAPeerThatHasNoOther) {
  ClientNode plain({.caps = wire::Capabilities::supported()}, 3);
  world.attach(kClient2Address, plain, {.delay = 10ms});
  ASSERT_TRUE(connect(plain, kClient2Address));
  EXPECT_EQ(plain.session().direct(), nullptr);
}

}  // namespace
}  // namespace qdt::testing
