// Paths at the edge: slow, jumping, one-sided, out of order, with outages. A session stays on each,
// on either data plane, and carries what the path carries.

#include <gtest/gtest.h>

#include "sim/direct_sim.h"

namespace qdt::testing {
namespace {

const SocketAddress kElsewhere{kClientAddress.address, 40001};

/// With the direct plane, or without.
class EdgePath : public TunnelSim, public ::testing::WithParamInterface<bool> {
 protected:
  static wire::Capabilities caps() {
    return GetParam() ? with_direct() : wire::Capabilities::supported();
  }
  EdgePath() : TunnelSim({.caps = caps()}, {.caps = caps()}) {}

  void set_delays(Duration up, Duration down) {
    world.set_link(kClientAddress, {.delay = up});
    world.set_link(kServerAddress, {.delay = down});
  }
  // A packet each way every `interval`; how many did not come.
  std::size_t exchange(Duration duration, std::size_t bytes = 600, Duration interval = 400ms) {
    server.delivered.clear();
    client.delivered.clear();
    std::size_t sent = 0;
    for (; duration > Duration::zero() && !client.ending; duration -= interval, sent += 2) {
      client.inject(up(bytes), world.now());
      server.inject(down(bytes), world.now());
      world.run_for(interval);
    }
    world.run_for(8s);
    return sent - std::min(sent, server.delivered.size() + client.delivered.size());
  }
  bool stays() const { return !client.ending && client.silences == 0; }
};

INSTANTIATE_TEST_SUITE_P(Planes, EdgePath, ::testing::Bool(),
                         [](const auto& plane) { return plane.param ? "Direct" : "Quic"; });

TEST_P(EdgePath, CarriesAllOverThreeSeconds) {
  set_delays(1500ms, 1500ms);
  ASSERT_TRUE(connect());
  EXPECT_EQ(exchange(20s), 0u);
  world.run_for(60s);  // idle, kept alive
  EXPECT_EQ(exchange(10s, 1300), 0u);
  EXPECT_TRUE(stays());
}

TEST_P(EdgePath, CarriesAllWhereOneDirectionIsSlow) {
  for (const auto& [up, down] : {std::pair(5ms, 2500ms), std::pair(2500ms, 5ms)}) {
    set_delays(up, down);
    client.ending.reset();
    if (server.tunnel().sessions().size() == 0) {
      client.response.reset();
      ASSERT_TRUE(connect());
    }
    EXPECT_LE(exchange(20s), 2u);
  }
  EXPECT_FALSE(client.ending);
}

TEST_P(EdgePath, OutlivesRoundTripsThatJump) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  for (int i = 0; i < 3; ++i) {
    set_delays(1500ms, 1500ms);
    EXPECT_EQ(exchange(10s), 0u);
    set_delays(25ms, 25ms);
    EXPECT_EQ(exchange(5s), 0u);
  }
  EXPECT_FALSE(client.ending);
}

TEST_P(EdgePath, NoticesADeadUplinkWhileTheServerIsHeard) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  world.set_link(kClientAddress, {.loss = 1.0});
  for (int i = 0; i < 160; ++i) {
    client.inject(up(600), world.now());
    server.inject(down(600), world.now());
    world.run_for(25ms);
  }
  EXPECT_GE(client.silences, 1);
}

TEST_P(EdgePath, TakesSlownessForNoHole) {
  ASSERT_TRUE(connect());
  ASSERT_EQ(exchange(3s, 1300), 0u);
  const std::size_t before = connection_of(client.session()).path_mtu();
  set_delays(1500ms, 1500ms);
  EXPECT_EQ(exchange(10s, 1300), 0u);
  EXPECT_EQ(connection_of(client.session()).path_mtu(), before);
  EXPECT_EQ(client.session().tunnel_mtu(), 1350u);
}

TEST_P(EdgePath, OutlivesShortOutages) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  for (int i = 0; i < 5; ++i) {
    set_links({.delay = 20ms, .loss = 1});
    exchange(1s);
    set_links({.delay = 20ms});
    world.run_for(2s);
    EXPECT_EQ(exchange(3s), 0u);
  }
}

TEST_P(EdgePath, CarriesWhatComesASecondLate) {
  set_links({.delay = 20ms, .reordered = 0.3, .reorder_delay = 1s});
  ASSERT_TRUE(connect());
  EXPECT_EQ(exchange(20s), 0u);
  EXPECT_FALSE(client.ending);
}

TEST_P(EdgePath, DeliversDuplicatesOnce) {
  set_links({.delay = 20ms, .duplicates = 1});
  ASSERT_TRUE(connect());
  EXPECT_EQ(exchange(5s, 600, 100ms), 0u);
  EXPECT_EQ(server.delivered.size(), 50u);
  EXPECT_EQ(client.delivered.size(), 50u);
  EXPECT_TRUE(stays());
}

TEST_P(EdgePath, ConnectsWhereTheFirstPayloadsAreLost) {
  int lost = 0;
  const auto passes = [&lost](Bytes) { return ++lost > 3; };
  world.set_link(kClientAddress, {.delay = 200ms, .passes = passes});
  ASSERT_TRUE(connect());
  world.run_for(5s);
  EXPECT_EQ(exchange(5s), 0u);
}

TEST_P(EdgePath, ShrinksAfterMinutes) {
  ASSERT_TRUE(connect());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(exchange(1s, 1300), 0u);
    world.run_for(60s);
  }
  set_links({.delay = 100ms, .max_payload_bytes = 1200});
  exchange(5s, 1300, 100ms);
  EXPECT_EQ(exchange(5s, 1300), 0u);
  EXPECT_FALSE(client.ending) << client.ending->text;
}

// Small packets go on all the time both ways, so that neither silence nor a gap tells of the hole.
TEST_P(EdgePath, ShrinksInOneDirectionAmongSmallPackets) {
  set_links({.delay = 100ms});
  ASSERT_TRUE(connect());
  world.run_for(5s);
  world.set_link(kClientAddress, {.delay = 100ms, .max_payload_bytes = 1252});
  const auto large_lost = [&](Duration duration) {
    std::size_t lost = 0;
    for (; duration > Duration::zero(); duration -= 100ms) {
      server.delivered.clear();
      client.inject(up(1300), world.now());
      for (int i = 0; i < 4; ++i) {
        client.inject(up(100), world.now());
        server.inject(down(100), world.now());
        world.run_for(25ms);
      }
      lost += std::ranges::none_of(server.delivered,
                                   [](const Packet& packet) { return packet.size() == 1300; });
    }
    return lost;
  };
  large_lost(3s);
  EXPECT_LE(large_lost(3s), 1u);
  EXPECT_TRUE(stays());
}

TEST_P(EdgePath, KeepsItsSessionBehindASlowQueue) {
  set_links({.delay = 30ms, .bits_per_second = 64e3, .queue_bytes = 16'000});
  ASSERT_TRUE(connect());
  world.run_for(5s);
  for (int i = 0; i < 300; ++i) {
    server.inject(down(1200), world.now());
    client.inject(up(1200), world.now());
    world.run_for(100ms);
  }
  EXPECT_TRUE(stays());
  world.run_for(20s);
  EXPECT_EQ(exchange(2s, 100), 0u);
}

TEST_P(EdgePath, FollowsANatThatForgetsOnASlowPath) {
  set_delays(1500ms, 1500ms);
  ASSERT_TRUE(connect());
  world.run_for(10s);
  world.translate(kClientAddress, {kClientAddress.address, 50001});
  exchange(10s);  // what was on its way down is lost
  EXPECT_EQ(exchange(5s), 0u);
  EXPECT_FALSE(client.ending);
}

TEST_P(EdgePath, ConnectsThroughANatThatForgetsMeanwhile) {
  set_delays(750ms, 750ms);
  client.connect(kClientAddress, kServerAddress, world.now());
  world.run_for(2s);
  world.translate(kClientAddress, {kClientAddress.address, 50001});
  EXPECT_TRUE(world.run_until([&] { return client.response.has_value(); }, 30s));
}

TEST_P(EdgePath, MovesOnASlowPath) {
  world.attach(kElsewhere, client, {.delay = 1500ms});
  set_delays(1500ms, 1500ms);
  ASSERT_TRUE(connect());
  world.run_for(20s);
  client.connector.migrate(client.tunnel(), {kElsewhere, kServerAddress}, world.now());
  EXPECT_LE(exchange(15s), 8u);  // what was on its way down came to the old address
  EXPECT_EQ(exchange(5s), 0u);
  EXPECT_FALSE(client.ending);
}

TEST_P(EdgePath, FindsADeadServerAsSoonAsEver) {
  ASSERT_TRUE(connect());
  ASSERT_EQ(exchange(5s), 0u);
  set_links({.delay = 20ms, .loss = 1});
  const Timestamp died = world.now();
  while (!client.ending && world.now() - died < 20s) {
    client.inject(up(600), world.now());
    world.run_for(20ms);
  }
  EXPECT_LT(world.now() - died, 5s);
}

}  // namespace
}  // namespace qdt::testing
