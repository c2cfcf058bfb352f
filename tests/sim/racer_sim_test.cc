// Somebody who copies packets and is faster than the path, but can drop none (RFC 9000 section
// 9.3.3): the session stays with the client, or comes back to it, on both planes.

#include <gtest/gtest.h>

#include "sim/direct_sim.h"
#include "sim/racer.h"

namespace qdt::testing {
namespace {

constexpr Duration kPathDelay = 50ms;

enum class Plane { kDirect, kShared, kQuic };

class RacerSim : public TunnelSim, public ::testing::WithParamInterface<Plane> {
 protected:
  static wire::Capabilities caps() {
    switch (GetParam()) {
      case Plane::kDirect: return with_direct();
      case Plane::kShared: return with_shared_id();
      default: return wire::Capabilities::supported();
    }
  }
  RacerSim() : TunnelSim({.caps = caps()}, {.caps = caps()}) {}

  void SetUp() override {
    world.attach(kRacer, racer, {.delay = 5ms});
    world.attach(kServerAddress, server, {.delay = kPathDelay});
    world.attach(kClientAddress, client, {.delay = kPathDelay, .passes = [this](Bytes payload) {
                                            racer.copy(payload, world.now());
                                            return true;
                                          }});
    // A gateway that answers.
    server.on_packet = [this](Bytes, Timestamp) { ++unanswered; };
    ASSERT_TRUE(connect());
    world.run_for(3s);
  }
  // Pings, each answered at once; how many were answered within half a second.
  int ping(int count, Duration interval) {
    const std::size_t before = client.delivered.size();
    for (int i = 0; i < count; ++i) {
      client.inject(up(200), world.now());
      for (const Timestamp end = world.now() + interval; world.now() < end;) {
        world.run_for(std::min<Duration>(end - world.now(), 1ms));
        answer();
      }
    }
    for (int i = 0; i < 500; ++i) {
      world.run_for(1ms);
      answer();
    }
    return static_cast<int>(client.delivered.size() - before);
  }
  void answer() {
    for (; unanswered > 0; --unanswered) server.inject(down(200), world.now());
  }
  tunnel::Session& server_session() { return **server.tunnel().sessions().begin(); }
  SocketAddress peer() {
    tunnel::Session& session = server_session();
    return session.direct() != nullptr ? session.direct()->path().remote
                                       : connection_of(session).path().remote;
  }
  // The direct plane sends to both addresses in question; QUIC may lose what it sends before the
  // copies are found out.
  int lost_at_most() const { return GetParam() == Plane::kQuic ? 2 : 0; }

  Racer racer{server, client};
  int unanswered = 0;
};

std::string name_of(const ::testing::TestParamInfo<Plane>& plane) {
  switch (plane.param) {
    case Plane::kDirect: return "Direct";
    case Plane::kShared: return "Shared";
    default: return "Quic";
  }
}

INSTANTIATE_TEST_SUITE_P(Planes, RacerSim,
                         ::testing::Values(Plane::kDirect, Plane::kShared, Plane::kQuic), name_of);

TEST_P(RacerSim, StopsNoPings) {
  racer.is_racing = true;
  EXPECT_GE(ping(60, 100ms), 60 - lost_at_most());
  EXPECT_EQ(peer(), kClientAddress);
  EXPECT_FALSE(client.ending);
}

TEST_P(RacerSim, StopsNoPingsThatAreFarApart) {
  racer.is_racing = true;
  EXPECT_GE(ping(20, 3s), 20 - lost_at_most());
  EXPECT_FALSE(client.ending);
}

TEST_P(RacerSim, StopsNothingInTheMiddleOfALoad) {
  for (const Duration lag : {0ms, 20ms, 45ms}) {
    racer.lag = lag;
    EXPECT_EQ(ping(100, 5ms), 100);
    racer.is_racing = true;
    EXPECT_GE(ping(400, 5ms), 400 - 12 * lost_at_most()) << "for the time of his lead";
    racer.is_racing = false;
  }
  EXPECT_FALSE(client.ending);
}

TEST_P(RacerSim, GetsLittle) {
  racer.is_racing = true;
  ping(60, 100ms);
  const std::size_t got = racer.bytes;
  ping(60, 100ms);
  EXPECT_EQ(racer.bytes, got);
  EXPECT_LT(got, 6000u);
}

TEST_P(RacerSim, TakesNothingByRelaying) {
  racer.is_racing = racer.relays = true;
  EXPECT_GE(ping(100, 50ms), 100 - 2 * lost_at_most());
  EXPECT_EQ(peer(), kClientAddress);
  EXPECT_FALSE(client.ending);
}

TEST_P(RacerSim, StopsNothingFromEverNewPorts) {
  racer.is_racing = racer.changes_port = true;
  EXPECT_GE(ping(100, 50ms), 100 - 3 * lost_at_most());
  EXPECT_EQ(peer(), kClientAddress);
  EXPECT_FALSE(client.ending);
}

// The NAT before the client maps it anew, while somebody is faster with every packet.
TEST_P(RacerSim, DoesNotKeepTheServerFromFollowing) {
  racer.is_racing = true;
  ping(20, 100ms);
  const SocketAddress outside{kClientAddress.address, 50001};
  world.translate(kClientAddress, outside);
  ping(20, 100ms);
  EXPECT_EQ(peer(), outside);
  EXPECT_EQ(ping(20, 100ms), 20);
  EXPECT_FALSE(client.ending);
}

// An address was given up, since what came from there was copied; then the client is really there.
TEST_P(RacerSim, DoesNotKeepTheClientFromAnAddressForLong) {
  const SocketAddress outside{kClientAddress.address, 50001};
  racer.from = outside;
  racer.is_racing = true;
  ping(60, 100ms);
  racer.is_racing = false;
  EXPECT_EQ(peer(), kClientAddress);
  ping(60, 1s);
  world.translate(kClientAddress, outside);
  ping(20, 100ms);
  EXPECT_EQ(peer(), outside);
  EXPECT_EQ(ping(20, 100ms), 20);
  EXPECT_FALSE(client.ending);
}

TEST_P(RacerSim, LeavesMovesAsQuickAsTheyWere) {
  std::uint16_t port = 50000;
  for (int i = 0; i < 5; ++i) {
    world.translate(kClientAddress, {kClientAddress.address, ++port});
    EXPECT_EQ(ping(10, 100ms), 10) << i;
    EXPECT_EQ(peer().port, port);
  }
}

// Copies in the name of the address that the client has left.
TEST_P(RacerSim, DoesNotCallTheSessionBack) {
  const SocketAddress outside{kClientAddress.address, 50001};
  world.translate(kClientAddress, outside);
  racer.from = kClientAddress;
  racer.lag = kPathDelay + 10ms;
  racer.is_racing = true;
  ping(50, 100ms);
  EXPECT_EQ(peer(), outside);
  EXPECT_EQ(ping(20, 100ms), 20);
  EXPECT_FALSE(client.ending);
}

// Copies of the server's packets, to the client from elsewhere.
TEST_P(RacerSim, DoesNotImpressTheClient) {
  world.set_link(kServerAddress, {.delay = kPathDelay, .passes = [this](Bytes payload) {
                                    UdpSendQueue unused(1);
                                    client.receive({kClientAddress, kRacer}, Ecn::kNotEct, payload,
                                                   unused, world.now());
                                    return true;
                                  }});
  EXPECT_EQ(ping(60, 50ms), 60);
  EXPECT_EQ(connection_of(client.session()).path().remote, kServerAddress);
  EXPECT_FALSE(client.ending);
}

}  // namespace
}  // namespace qdt::testing
