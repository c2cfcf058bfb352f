// A client completes its handshake from where it is, and then asks for its session in the name of
// an address that never answered. All that is counted by address counts for the one that did, and
// the session is there.

#include <gtest/gtest.h>

#include <list>

#include "sim/direct_sim.h"
#include "sim/racer.h"

namespace qdt::testing {
namespace {

using wire::HandshakeResult;

constexpr Duration kPathDelay = 10ms;
// A request takes two packets, so that QUIC is elsewhere already when the second comes.
const std::string kToken(2000, 'X');
const std::string kWrongToken(2000, 'Y');

class ForgedSource : public TunnelSim {
 protected:
  explicit ForgedSource(ServerNodeOptions options = {},
                        const wire::Capabilities& caps = with_direct())
      : TunnelSim(complete(options, caps), {.token = kToken, .caps = caps}) {}

  static ServerNodeOptions complete(ServerNodeOptions options, const wire::Capabilities& caps) {
    options.token = kToken;
    options.caps = caps;
    return options;
  }
  // The request of the client at `home`, all that it sends in the first moment behind its
  // handshake, will come in the name of an address that no other has.
  Racer& forge_request(const SocketAddress& home) {
    Racer& forger = forgers_.emplace_back(server, client);
    const auto number = static_cast<std::uint16_t>(forgers_.size());
    forger.from = {IpAddress::v4(kRacer.address.v4_number() + number), number};
    forger.lag = kPathDelay;
    forger.is_racing = true;
    world.attach(forger.from, forger);
    const auto passes = [this, &forger, began = kNever](Bytes payload) mutable {
      const bool is_of_handshake = (payload[0] & 0x80) != 0;
      if (is_of_handshake) return true;
      began = std::min(began, world.now());
      if (world.now() > began) return true;
      forger.copy(payload, world.now());
      return false;
    };
    world.set_link(home, {.delay = kPathDelay, .passes = passes});
    return forger;
  }
  // Until the server has come to this result once more.
  bool wait_for(HandshakeResult result, Duration duration) {
    const auto before = server.handshakes.value(result);
    return world.run_until([&] { return server.handshakes.value(result) > before; }, duration);
  }
  tunnel::Session& server_session() { return **server.tunnel().sessions().begin(); }
  // The address in whose name the latest forged request came.
  IpAddress forged_address() const { return forgers_.back().from.address; }
  // A client at `home`, whose request is forged; whether it got a session.
  bool connect_forged(ClientNode& node, const SocketAddress& home) {
    world.attach(home, node, {.delay = kPathDelay});
    forge_request(home);
    return connect(node, home);
  }
  void expect_working_session() {
    const Racer& forger = forge_request(kClientAddress);
    ASSERT_TRUE(connect());
    world.run_for(3s);
    for (int i = 0; i < 100; ++i) {
      client.inject(up(600), world.now());
      server.inject(down(600), world.now());
      world.run_for(10ms);
    }
    world.run_for(200ms);
    EXPECT_EQ(server.delivered.size(), 100u);
    EXPECT_EQ(client.delivered.size(), 100u);
    EXPECT_TRUE(server_session().direct()->is_usable());
    EXPECT_EQ(server_session().direct()->path().remote, kClientAddress);
    EXPECT_EQ(server.drops().total() + client.drops().total(), 0u);
    EXPECT_LE(forger.bytes, 3 * UdpSendQueue::kMaxPayloadBytes);
  }

 private:
  std::list<Racer> forgers_;
};

TEST_F(ForgedSource, SendsTheDirectPacketsHome) {
  const Racer& forger = forge_request(kClientAddress);
  client.connect(kClientAddress, kServerAddress, world.now());
  ASSERT_TRUE(wait_for(HandshakeResult::kOk, 1s));
  ASSERT_EQ(connection_of(server_session()).path().remote, forger.from);
  EXPECT_EQ(server_session().direct()->path().remote, kClientAddress);
}

TEST_F(ForgedSource, IsInNoLogLine) {
  forge_request(kClientAddress);
  client.connect(kClientAddress, kServerAddress, world.now());
  ASSERT_TRUE(wait_for(HandshakeResult::kOk, 1s));
  const std::string client_at = "session of a client from " + kClientAddress.to_string();
  EXPECT_TRUE(server.logger.text.starts_with(client_at)) << server.logger.text;
}

TEST_F(ForgedSource, DoesNotKeepTheSessionFromWorking) {
  expect_working_session();
}

class ForgedSourceSharedId : public ForgedSource {
 protected:
  ForgedSourceSharedId() : ForgedSource({}, with_shared_id()) {}
};

TEST_F(ForgedSourceSharedId, DoesNotKeepTheSessionFromWorking) {
  expect_working_session();
}

// No observer on the path sees packets with an ID that belongs to no connection.
TEST_F(ForgedSourceSharedId, ShowsNoIdThatIsNone) {
  int without_id = 0;
  world.set_link(kServerAddress, {.delay = kPathDelay, .passes = [&](Bytes payload) {
                                    without_id += wire::direct_id_of(payload) == wire::DirectId{};
                                    return true;
                                  }});
  forge_request(kClientAddress);
  ASSERT_TRUE(connect());
  world.run_for(1s);
  EXPECT_EQ(without_id, 0);
}

class ForgedSourceShare : public ForgedSource {
 protected:
  ForgedSourceShare()
      : ForgedSource({.admission = {.shares = {.max_of_client = 1, .max_of_address = 1}}}) {}
};

TEST_F(ForgedSourceShare, TakesTheShareOfItsClient) {
  ClientNode first({.token = kToken}, 5);
  ClientNode second({.token = kToken}, 6);
  ASSERT_TRUE(connect_forged(first, {kClient2Address.address, 40001}));
  EXPECT_FALSE(connect_forged(second, {kClient2Address.address, 40002}));
  EXPECT_EQ(server.handshakes.value(HandshakeResult::kBusy), 1u);
}

TEST_F(ForgedSourceShare, TakesNothingFromWhoIsThere) {
  ClientNode forger({.token = kToken}, 5);
  ASSERT_TRUE(connect_forged(forger, kClient2Address));
  ClientNode honest({.token = kToken}, 6);
  const SocketAddress there{forged_address(), 40000};
  world.attach(there, honest, {.delay = kPathDelay});
  EXPECT_TRUE(connect(honest, there));
}

class ForgedSourceGuess : public ForgedSource {
 protected:
  ForgedSourceGuess()
      : ForgedSource({.admission = {.address_rate = {.per_second = 0.1, .burst = 2}}}) {}
};

TEST_F(ForgedSourceGuess, WaitsAsLong) {
  for (const Duration delay : {0s, 0s, 4s}) {
    ClientNode guesser({.token = kWrongToken}, 5);
    world.attach(kClient2Address, guesser);
    forge_request(kClient2Address);
    const Timestamp begin = world.now();
    guesser.connect(kClient2Address, kServerAddress, world.now());
    ASSERT_TRUE(wait_for(HandshakeResult::kUnauthorized, 10s));
    EXPECT_GE(world.now() - begin, delay);
    EXPECT_LT(world.now() - begin, delay + 1s);
    world.run_for(1s);
  }
}

class ForgedSourceLeases : public ForgedSource {
 protected:
  ForgedSourceLeases() : ForgedSource({.max_kept_leases = 1}, with_resume()) {}
  static wire::Capabilities with_resume() {
    wire::Capabilities caps = wire::Capabilities::supported();
    caps.resume = true;
    return caps;
  }
};

TEST_F(ForgedSourceLeases, KeepsThoseOfItsClientWithinTheirBound) {
  for (const std::uint64_t seed : {5, 6, 7}) {
    ClientNode node({.token = kToken, .caps = with_resume()}, seed);
    ASSERT_TRUE(connect_forged(node, kClient2Address));
    node.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
    world.run_for(1s);
    ASSERT_EQ(server.leases.lent(), 0u);
  }
  EXPECT_EQ(server.book.entries(world.now()).size(), 1u);
}

}  // namespace
}  // namespace qdt::testing
