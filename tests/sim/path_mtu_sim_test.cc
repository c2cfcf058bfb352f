// The path shrinks without a word, or seems to: who notices, how soon, and what is told to whom.

#include <gtest/gtest.h>

#include "sim/tunnel_sim.h"

namespace qdt::testing {
namespace {

constexpr std::size_t kUdpIp = 28;

client::Connector::Options with_auto_mtu() {
  client::Connector::Options options;
  options.mtu = tunnel::kLargestTunnelMtu;
  options.send_queue = 256;
  return options;
}

class PathMtuSim : public TunnelSim {
 protected:
  PathMtuSim() : TunnelSim({.mtu = tunnel::kLargestTunnelMtu}, with_auto_mtu()) {}

  static LinkOptions link(Duration delay, std::size_t mtu = 1500) {
    return {.delay = delay,
            .bits_per_second = 50e6,
            .queue_bytes = 300000,
            .max_payload_bytes = mtu - kUdpIp};
  }
  // Connects over links of this kind; the path is known when this returns.
  void begin(const LinkOptions& options) {
    set_links(options);
    ASSERT_TRUE(connect());
    world.run_for(8s);
    session = &client.session();
  }
  // Sends `packets_per_second` full packets for a while. True as soon as `done`, asked each time.
  template <typename Done>
  bool send_until(double packets_per_second, Duration duration, Done&& done) {
    const Duration gap(static_cast<std::int64_t>(1e9 / packets_per_second));
    for (const Timestamp end = world.now() + duration; world.now() < end;) {
      if (done()) return true;
      client.inject(up(session->tunnel_mtu()), world.now());
      server.delivered.clear();
      world.run_for(gap);
      if (!server.delivered.empty()) last_delivery = world.now();
    }
    return done();
  }
  void send_for(double packets_per_second, Duration duration) {
    send_until(packets_per_second, duration, [] { return false; });
  }

  tunnel::Session* session = nullptr;
  Timestamp last_delivery;
};

TEST_F(PathMtuSim, FindsTheTunnelMtuOfEachPath) {
  const std::pair<std::size_t, std::size_t> kCases[] = {{1500, 1401}, {1492, 1393}, {1420, 1321},
                                                        {1400, 1301}, {1300, 1280}, {1280, 1280}};
  for (const auto& [underlay, expected] : kCases) {
    ClientNode node(with_auto_mtu(), underlay);
    world.attach(kClient2Address, node, link(20ms, underlay));
    world.set_link(kServerAddress, link(20ms, underlay));
    ASSERT_TRUE(connect(node, kClient2Address));
    EXPECT_EQ(node.session().tunnel_mtu(), 1401u) << underlay;  // nobody is told too little
    world.run_for(10s);
    EXPECT_EQ(node.session().tunnel_mtu(), expected) << underlay;
    EXPECT_EQ(node.session().whole_packet_bytes(), underlay - 99) << underlay;
    node.connector.abandon(node.tunnel(), world.now());
    world.run_for(5s);
  }
}

TEST_F(PathMtuSim, StepsDownWithinASecondOfTheChange) {
  for (const Duration delay : {1ms, 20ms, 100ms}) {
    begin(link(delay));
    ASSERT_EQ(session->tunnel_mtu(), 1401u);
    send_for(1000, 2s);
    set_links(link(delay, 1300));
    const Timestamp changed = world.now();
    EXPECT_TRUE(send_until(1000, 1s, [&] { return session->whole_packet_bytes() < 1401; }));
    EXPECT_LE(world.now() - changed, 1s) << delay / 1ms;
    EXPECT_TRUE(send_until(1000, 2s, [&] { return session->tunnel_mtu() == 1280; }));
    EXPECT_EQ(session->whole_packet_bytes(), 1201u) << delay / 1ms;
    client.connector.abandon(client.tunnel(), world.now());
    client.response.reset();
    world.run_for(5s);
  }
}

// A whole window is lost, which congestion control takes for what it is not; for how long?
TEST_F(PathMtuSim, IsBackAtItsRateSomeSecondsAfterAHole) {
  const auto received_for = [this](Duration duration) {
    const auto before = server.counters.bytes_up.value();
    send_for(4000, duration);
    return static_cast<double>(server.counters.bytes_up.value() - before);
  };
  begin(link(20ms));
  send_for(4000, 3s);
  set_links(link(20ms, 1400));
  EXPECT_GT(received_for(1s), 50e3);
  EXPECT_GT(received_for(2s), 100e3);
  send_for(4000, 5s);
  EXPECT_GT(received_for(5s) * 8 / 5, 30e6);
}

TEST_F(PathMtuSim, NoticesAHoleWithLittleToSend) {
  begin(link(20ms));
  send_for(20, 1s);
  set_links(link(20ms, 1400));
  EXPECT_TRUE(send_until(5, 3s, [&] { return session->tunnel_mtu() == 1301; }));
}

TEST_F(PathMtuSim, GoesBackUpWhenThePathDoes) {
  begin(link(20ms));
  send_for(1000, 1s);
  set_links(link(20ms, 1300));
  ASSERT_TRUE(send_until(1000, 2s, [&] { return session->tunnel_mtu() == 1280; }));
  set_links(link(20ms));
  world.run_for(50s);
  EXPECT_EQ(session->tunnel_mtu(), 1280u);
  world.run_for(15s);
  EXPECT_EQ(session->tunnel_mtu(), 1401u);
}

TEST_F(PathMtuSim, SaysThatThePathIsTooNarrow) {
  set_links({.delay = 10ms, .max_payload_bytes = 1100});
  EXPECT_FALSE(connect());
  ASSERT_TRUE(client.ending);
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kNoAnswer);
  EXPECT_TRUE(client.is_path_narrow);
}

TEST_F(PathMtuSim, TakesLossOfTheFirstPacketsForNothingElse) {
  set_links({.delay = 10ms, .loss = 1});
  client.connect(kClientAddress, kServerAddress, world.now());
  world.run_for(4s);
  set_links({.delay = 10ms});
  EXPECT_TRUE(world.run_until([&] { return client.response.has_value(); }, 5s));
}

// A path that is no hole: the tunnel MTU stays what it is, all the time.
class NoHoleSim : public PathMtuSim {
 protected:
  void expect_no_hole(double packets_per_second, Duration duration) {
    EXPECT_FALSE(send_until(packets_per_second, duration, [&] {
      return session->tunnel_mtu() != 1401;
    })) << session->tunnel_mtu();
  }
};

TEST_F(NoHoleSim, RandomLoss) {
  LinkOptions lossy = link(20ms);
  begin(lossy);
  lossy.loss = 0.05;
  set_links(lossy);
  expect_no_hole(1000, 30s);
  EXPECT_EQ(session->whole_packet_bytes(), 1401u);
  expect_no_hole(50, 60s);
  EXPECT_EQ(session->whole_packet_bytes(), 1401u);
}

TEST_F(NoHoleSim, BurstsOfLosses) {
  begin(link(20ms));
  LinkOptions dead = link(20ms);
  dead.loss = 1;
  for (const Duration burst : {5ms, 20ms, 50ms, 100ms, 200ms}) {
    for (int i = 0; i < 10; ++i) {
      set_links(dead);
      expect_no_hole(2000, burst);
      set_links(link(20ms));
      expect_no_hole(2000, 500ms);
    }
  }
  world.run_for(1s);
  EXPECT_EQ(session->whole_packet_bytes(), 1401u);
}

TEST_F(NoHoleSim, ALinkThatIsDown) {
  begin(link(20ms));
  LinkOptions dead = link(20ms);
  dead.loss = 1;
  for (const Duration outage : {500ms, 1000ms, 1400ms}) {
    expect_no_hole(500, 2s);
    set_links(dead);
    expect_no_hole(500, outage);
    set_links(link(20ms));
    expect_no_hole(500, 3s);
    EXPECT_EQ(session->whole_packet_bytes(), 1401u);
  }
}

}  // namespace
}  // namespace qdt::testing
