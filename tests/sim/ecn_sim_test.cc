// Marks of congestion on the path, and the packets in the payloads that bear them.

#include <gtest/gtest.h>

#include "sim/direct_sim.h"
#include "wire/checksum.h"

namespace qdt::testing {
namespace {

constexpr std::uint8_t kEct0 = 0x02, kCe = 0x03;

/// A path on which every payload towards the client that may be marked is.
class MarkedPath : public TunnelSim {
 protected:
  MarkedPath() {
    connect();
    world.run_for(2s);  // the engine tries whether the path keeps marks, and its MTU
    world.set_link(kServerAddress, {.delay = 10ms, .marked = 1});
  }

  // Sends `packet` ten times with `mark` and returns what came of it.
  std::vector<Packet> send(Packet packet, std::uint8_t mark) {
    packet[1] = mark;
    store_be<std::uint16_t>(&packet[10], wire::Checksum().add(Bytes(packet).first(20)).finish());
    for (int i = 0; i < 10; ++i) {
      server.inject(packet, world.now());
      world.run_for(5ms);
    }
    world.run_for(1s);
    return std::exchange(client.delivered, {});
  }
};

TEST_F(MarkedPath, TellsPacketsThatUnderstandMarks) {
  const auto delivered = send(down(800), kEct0);
  ASSERT_EQ(delivered.size(), 10u);
  for (const Packet& packet : delivered) {
    EXPECT_EQ(packet[1], kCe);
    EXPECT_EQ(wire::Checksum().add(Bytes(packet).first(20)).finish(), 0);
  }
  EXPECT_EQ(client.counters.path_congestion_marks.value(), 10u);
}

TEST_F(MarkedPath, LeavesAloneThoseThatDoNot) {
  const auto delivered = send(down(800), 0);
  ASSERT_EQ(delivered.size(), 10u);
  for (const Packet& packet : delivered) EXPECT_EQ(packet[1], 0);
  EXPECT_EQ(client.counters.path_congestion_marks.value(), 0u);
}

TEST_F(MarkedPath, TellsThosePutTogetherFromFragments) {
  const auto delivered = send(down(1440), kEct0);
  ASSERT_EQ(delivered.size(), 10u);
  for (const Packet& packet : delivered) EXPECT_EQ(packet[1], kCe);
}

TEST_F(MarkedPath, DoesNotBurdenTheOtherDirection) {
  Packet packet = up(800);
  packet[1] = kEct0;
  client.inject(packet, world.now());
  world.run_for(1s);
  ASSERT_EQ(server.delivered.size(), 1u);
  EXPECT_EQ(server.delivered[0][1], kEct0);
}

// The engine hears of the marks as well: that is why nothing needs to be dropped for them.
TEST_F(MarkedPath, NarrowsTheConnectionsWindow) {
  const auto window = [this] {
    return connection_of(**server.tunnel().sessions().begin()).path_state().window_bytes;
  };
  const auto fill = [this] {
    for (int i = 0; i < 2000; ++i) {
      server.tunnel().forward(down(1300), world.now());
      if (i % 10 == 0) world.run_for(1ms);
    }
    world.run_for(1s);
  };
  world.set_link(kServerAddress, {.delay = 10ms});
  fill();
  const auto before = window();
  world.set_link(kServerAddress, {.delay = 10ms, .marked = 1});
  fill();
  EXPECT_LT(window(), before);
}

/// A path that overwrites the ECN field of every payload, both ways.
class OverwrittenPath : public DirectSim, public ::testing::WithParamInterface<Ecn> {
 protected:
  void overwrite() { set_links({.delay = 10ms, .overwrites = GetParam()}); }

  // Packets down, one each 10 ms; how many bear a mark of those that came.
  struct Arrived {
    std::size_t lost = 0;
    std::size_t marked = 0;
  };
  Arrived send(std::uint8_t mark, Duration duration = 2s) {
    Packet packet = down(800);
    packet[1] = mark;
    store_be<std::uint16_t>(&packet[10], wire::Checksum().add(Bytes(packet).first(20)).finish());
    client.delivered.clear();
    std::size_t sent = 0;
    for (; duration > Duration::zero(); duration -= 10ms, ++sent) {
      server.inject(packet, world.now());
      world.run_for(10ms);
    }
    world.run_for(500ms);
    Arrived arrived{.lost = sent - client.delivered.size()};
    for (const Packet& one : client.delivered) arrived.marked += (one[1] & 3) == kCe;
    return arrived;
  }
};

TEST_P(OverwrittenPath, CarriesAllFromTheFirstPacketOn) {
  overwrite();
  ASSERT_TRUE(connect());
  world.run_for(1s);
  ASSERT_TRUE(is_direct());
  for (const std::uint8_t mark : {std::uint8_t{0}, kEct0}) {
    const Arrived arrived = send(mark);
    EXPECT_EQ(arrived.lost, 0u);
    EXPECT_EQ(arrived.marked, 0u);
  }
}

TEST_P(OverwrittenPath, GoesOnWhenItBeginsLater) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  overwrite();
  EXPECT_LE(send(0, 5s).lost, 10u);
  EXPECT_EQ(send(kEct0).marked, 0u);
  EXPECT_LE(client.drops().value(Drop::kPathMark), 10u);
}

INSTANTIATE_TEST_SUITE_P(Ecn, OverwrittenPath,
                         ::testing::Values(Ecn::kNotEct, Ecn::kEct1, Ecn::kEct0, Ecn::kCe));

/// The same for the QUIC plane alone.
class OverwrittenQuicPath : public TunnelSim,
                            public ::testing::WithParamInterface<CongestionControl> {
 protected:
  static ServerNodeOptions with(CongestionControl control) {
    ServerNodeOptions options;
    options.tunnel.endpoint.connection.congestion = control;
    return options;
  }
  OverwrittenQuicPath() : TunnelSim(with(GetParam())) {}
};

TEST_P(OverwrittenQuicPath, IsAsFastAsAnyOther) {
  set_links({.delay = 10ms, .overwrites = Ecn::kCe});
  ASSERT_TRUE(connect());
  world.run_for(2s);
  for (int i = 0; i < 4000; ++i) {
    server.inject(down(1300), world.now());
    world.run_for(1ms);
  }
  world.run_for(200ms);
  EXPECT_GT(client.delivered.size(), 3900u);  // some are lost to its slow start
  EXPECT_EQ(client.counters.path_congestion_marks.value(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Control, OverwrittenQuicPath,
                         ::testing::Values(CongestionControl::kBbr, CongestionControl::kCubic,
                                           CongestionControl::kReno));

}  // namespace
}  // namespace qdt::testing
