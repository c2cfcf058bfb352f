// Connections whose client changes its address, knowingly (migration) or not (a NAT's new mapping),
// and how a peer that has fallen silent is noticed.

#include <gtest/gtest.h>

#include "quic/endpoint_fixture.h"

namespace qdt::quic {
namespace {

const SocketAddress kElsewhere{IpAddress::v4(0x0a000103), 50001};
const SocketAddress kNat{IpAddress::v4(0xc0000201), 1024};

class MigrationTest : public EndpointTest {
 protected:
  explicit MigrationTest(const Endpoint::Options& server_options = {})
      : EndpointTest(server_options) {
    world.attach(kElsewhere, client, {.delay = 10ms});
  }

  void open() {
    open_session();
    world.run_for(3s);  // the handshake is confirmed, IDs are exchanged, the path's MTU is found
  }
  bool migrate(const SocketAddress& to) {
    return client.connection->migrate({to, kServer}, world.now());
  }
  void cut(const SocketAddress& client_address) { world.set_link(client_address, {.loss = 1}); }
  void heal(const SocketAddress& client_address) {
    world.set_link(client_address, {.delay = 10ms});
  }
  // A datagram each way within `limit`.
  bool carries(Duration limit = 1s) {
    const std::size_t before = server.received.size() + client.received.size();
    client.datagrams.push_back(std::string("\0up", 3));
    server.datagrams.push_back(std::string("\0down", 5));
    return world.run_until(
        [&] { return server.received.size() + client.received.size() == before + 2; }, limit);
  }
  // How long the server has not answered.
  std::optional<Duration> silence() const {
    const auto since = client.connection->silent_since();
    return since ? std::optional(world.now() - *since) : std::nullopt;
  }
};

TEST_F(MigrationTest, MovesToAnotherAddressAndBack) {
  open();
  const SocketAddress back{kClient.address, 50002};  // by a new socket, as it is in life
  world.attach(back, client, {.delay = 10ms});
  for (const SocketAddress& to : {kElsewhere, back}) {
    ASSERT_TRUE(migrate(to));
    ASSERT_TRUE(carries());
    world.run_for(100ms);
    EXPECT_EQ(client.connection->path().local, to);
    EXPECT_EQ(server.connection->path().remote, to);
    EXPECT_EQ(client.tried_paths.back(), (Node::TriedPath{{to, kServer}, true}));
  }
  EXPECT_FALSE(client.closed);
}

// The engine's server looks once more for the client at its old address, for three seconds.
TEST_F(MigrationTest, MovesBackToTheSamePortALittleLater) {
  open();
  ASSERT_TRUE(migrate(kElsewhere));
  ASSERT_TRUE(carries());
  ASSERT_TRUE(migrate(kClient));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(carries());
    world.run_for(500ms);
  }
  EXPECT_EQ(server.connection->path().remote, kClient);
}

TEST_F(MigrationTest, MovesAwayFromADeadLink) {
  open();
  cut(kClient);
  client.datagrams.push_back(std::string("\0lost", 5));
  world.run_for(3s);
  ASSERT_TRUE(migrate(kElsewhere));
  EXPECT_TRUE(carries(100ms));
}

TEST_F(MigrationTest, MovesWithATransferUnderWay) {
  open();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) client.datagrams.push_back(std::string(1, '\0') + "up");
    world.run_for(50ms);
    if (round % 5 == 4) {
      ASSERT_TRUE(migrate(round % 2 == 0 ? kElsewhere : kClient));
    }
  }
  world.run_for(1s);
  EXPECT_EQ(server.received.size(), 1000u);  // the old link went on carrying what it had
}

TEST_F(MigrationTest, FindsThePathMtuAnew) {
  open();
  world.set_link(kElsewhere, {.delay = 10ms, .max_payload_bytes = 1400});
  ASSERT_TRUE(migrate(kElsewhere));
  EXPECT_LT(client.connection->max_datagram_bytes(), 1200u);
  ASSERT_TRUE(carries());
  world.run_for(5s);
  EXPECT_GE(client.connection->max_datagram_bytes(), 1340u);
  EXPECT_LE(client.connection->max_datagram_bytes(), 1392u);
}

TEST_F(MigrationTest, TellsThatNobodyAnswersOnTheNewPath) {
  open();
  cut(kElsewhere);
  ASSERT_TRUE(migrate(kElsewhere));
  ASSERT_TRUE(world.run_until([&] { return !client.tried_paths.empty(); }, 5s));
  EXPECT_EQ(client.tried_paths.back(), (Node::TriedPath{{kElsewhere, kServer}, false}));
  ASSERT_TRUE(migrate(kClient));
  EXPECT_TRUE(carries());
}

TEST_F(MigrationTest, RunsOutOfIdsOnlyWhileThePeerDoesNotHear) {
  open();
  cut(kClient);
  cut(kElsewhere);
  int moves = 0;
  while (moves < 20 && migrate(moves % 2 == 0 ? kElsewhere : kClient)) {
    ++moves;
    world.run_for(100ms);
  }
  EXPECT_GE(moves, 4);
  EXPECT_LT(moves, 20);
  heal(kClient);
  heal(kElsewhere);
  EXPECT_TRUE(carries(5s));
  world.run_for(1s);
  EXPECT_TRUE(migrate({IpAddress::v4(0x0a000103), 50002}));
}

TEST_F(MigrationTest, RefusesWhatIsNoMove) {
  connect();
  EXPECT_FALSE(migrate(kElsewhere)) << "the handshake is not complete";
  ASSERT_TRUE(settle());
  world.run_for(1s);
  EXPECT_FALSE(migrate(kClient)) << "it is there already";
  EXPECT_FALSE(server.connection->migrate({kServer, kElsewhere}, world.now()));
}

TEST_F(MigrationTest, SaysGoodbyeOnTheNewPath) {
  open();
  cut(kClient);
  ASSERT_TRUE(migrate(kElsewhere));
  client.endpoint.close_all("bye", world.now());
  world.run_for(100ms);
  ASSERT_TRUE(server.closed);
  EXPECT_EQ(server.closed->text, "bye");
}

TEST_F(MigrationTest, IsFollowedByTheServerWhenANatMapsItAnew) {
  world.translate(kClient, kNat);
  open();
  for (std::uint16_t port = 2000; port < 2010; ++port) {
    const SocketAddress mapped{kNat.address, port};
    world.translate(kClient, mapped);
    client.datagrams.push_back(std::string("\0up", 3));
    world.run_for(200ms);
    ASSERT_TRUE(carries());
    EXPECT_EQ(server.connection->path().remote, mapped);
  }
  EXPECT_TRUE(client.tried_paths.empty()) << "the client knows nothing of it";
  EXPECT_EQ(server.tried_paths.size(), 10u);
}

TEST_F(MigrationTest, IsFollowedToAnotherAddressOfTheNat) {
  world.translate(kClient, kNat);
  open();
  world.translate(kClient, {IpAddress::v4(0xc0000202), 7});
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(200ms);
  EXPECT_TRUE(carries());
}

class ShardMigrationTest : public MigrationTest {
 protected:
  ShardMigrationTest() : MigrationTest({.shard = 2, .shard_count = 5}) {}
};

TEST_F(ShardMigrationTest, StaysInItsShard) {
  open();
  server.shards.clear();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(migrate(i % 2 == 0 ? kElsewhere : kClient));
    ASSERT_TRUE(carries());
    world.run_for(200ms);
  }
  EXPECT_EQ(server.shards, std::set<std::size_t>{2});
}

TEST_F(MigrationTest, HearsNoSilenceWhileNothingIsOwed) {
  open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(carries());
    world.run_for(2s);
    EXPECT_EQ(silence(), std::nullopt);
  }
}

TEST_F(MigrationTest, HearsNoSilenceAfterAcknowledgingOnly) {
  open();
  server.datagrams.push_back(std::string("\0down", 5));
  world.run_for(20s);
  EXPECT_EQ(silence(), std::nullopt);
}

TEST_F(MigrationTest, HearsTheSilenceOfADeadLinkUntilItHeals) {
  open();
  cut(kClient);
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(4s);
  EXPECT_EQ(silence(), 4s);
  world.run_for(6s);
  EXPECT_EQ(silence(), 10s);
  heal(kClient);
  EXPECT_TRUE(world.run_until([&] { return !silence(); }, 15s));
  world.run_for(1s);
  EXPECT_EQ(silence(), std::nullopt);
}

TEST_F(MigrationTest, HearsTheSilenceInTheOtherDirectionToo) {
  open();
  world.set_link(kServer, {.loss = 1});
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(5s);
  EXPECT_EQ(silence(), 5s);
}

TEST_F(MigrationTest, CountsSilenceOfTheNewPathOnly) {
  open();
  cut(kClient);
  cut(kElsewhere);
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(4s);
  ASSERT_TRUE(migrate(kElsewhere));
  world.run_for(1s);
  EXPECT_EQ(silence(), 1s);
}

TEST_F(MigrationTest, TakesALostMtuProbeForNoSilence) {
  const LinkOptions narrow{.delay = 300ms, .max_payload_bytes = 1300};
  world.set_link(kClient, narrow);
  world.set_link(kServer, narrow);
  open_session();
  Duration longest{};
  for (int i = 0; i < 300; ++i) {
    if (i % 20 == 0) {
      server.datagrams.push_back(std::string("\0down", 5));
    }
    world.run_for(100ms);
    longest = std::max(longest, silence().value_or(Duration::zero()));
  }
  EXPECT_LT(longest, 2s);
}

// Forged packets carry the right connection ID, which anyone on the way can read.
TEST_F(MigrationTest, IsNotDeceivedByForgedAnswers) {
  open();
  cut(kClient);
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(2s);
  std::array<std::uint8_t, 60> forged{0x40};
  append(MutableBytes(forged).subspan(1), client.connection->registration.ids.front().bytes());
  UdpSendQueue out(4);
  client.endpoint.receive({kClient, kServer}, Ecn::kNotEct, forged, out, world.now());
  EXPECT_EQ(silence(), 2s);
}

}  // namespace
}  // namespace qdt::quic
