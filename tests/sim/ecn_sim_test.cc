// Marks of congestion on the path, and the packets in the payloads that bear them.

#include <gtest/gtest.h>

#include "sim/tunnel_sim.h"
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
    return (*server.tunnel().sessions().begin())->connection().path_state().window_bytes;
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

}  // namespace
}  // namespace qdt::testing
