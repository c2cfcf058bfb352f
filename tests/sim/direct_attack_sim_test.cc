// An attacker on the way and the direct data plane: packets that he sees, changes,
// repeats or redirects; and what vanishing packets do to it.

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "sim/direct_sim.h"

namespace qdt::testing {
namespace {

const SocketAddress kAttacker{IpAddress::v4(0xc6336466), 666};

// Counts what it gets, and says nothing.
class Victim final : public SimNode {
 public:
  void receive(const UdpPath&, Ecn, Bytes payload, UdpSendQueue&, Timestamp) override {
    bytes += payload.size();
  }
  bool send(UdpSendQueue&, Timestamp) override { return true; }
  Timestamp next_timeout() override { return kNever; }
  void handle_timeouts(Timestamp) override {}

  std::size_t bytes = 0;
};

class DirectAttack : public DirectSim {
 protected:
  explicit DirectAttack(bool needs_direct = false) : DirectSim(needs_direct) {}

  void SetUp() override {
    world.attach(kAttacker, victim, {.delay = 10ms});
    ASSERT_TRUE(connect());
    world.run_for(3s);
    ASSERT_TRUE(is_direct());
  }
  // Hands `take` what the client sends to the server's direct plane; it passes if that is true.
  void tap(std::function<bool(Bytes)> take) {
    world.set_link(kClientAddress, {.delay = 10ms, .passes = [this, take](Bytes payload) {
                                      return !is_direct_to(server_session(), payload) ||
                                             take(payload);
                                    }});
  }
  void untap() { world.set_link(kClientAddress, {.delay = 10ms}); }
  // The packets that carry `count` inner ones of `bytes`, which do not get through.
  std::vector<Packet> catch_packets(std::size_t count, std::size_t bytes = 600) {
    std::vector<Packet> caught;
    tap([&](Bytes payload) {
      if (payload.size() < bytes) return true;  // feedback
      caught.emplace_back(payload.begin(), payload.end());
      return false;
    });
    for (std::size_t i = 0; i < count; ++i) {
      client.inject(up(bytes), world.now());
      world.run_for(1ms);
    }
    untap();
    EXPECT_EQ(caught.size(), count);
    return caught;
  }
  // The packets of a client that only listens, which calls for no answer; it does not get through.
  Packet catch_feedback() {
    Packet caught;
    tap([&](Bytes payload) {
      caught.assign(payload.begin(), payload.end());
      return false;
    });
    server.inject(down(600), world.now());
    world.run_for(50ms);
    untap();
    client.delivered.clear();
    EXPECT_EQ(caught.size(), wire::kFeedbackFrameBytes + wire::kDirectOverhead);
    return caught;
  }
  void give_server(Bytes payload, const SocketAddress& from = kClientAddress) {
    UdpSendQueue unused(1);
    server.receive({kServerAddress, from}, Ecn::kNotEct, payload, unused, world.now());
    world.flush();
  }
  void give_client(Bytes payload) {
    UdpSendQueue unused(1);
    client.receive({kClientAddress, kServerAddress}, Ecn::kNotEct, payload, unused, world.now());
    world.flush();
  }
  // Everything is as it was, and goes on.
  void expect_no_harm() {
    EXPECT_EQ(server_session().direct()->path().remote, kClientAddress);
    EXPECT_EQ(send_for(1s), 0u);
    EXPECT_TRUE(is_direct());
    EXPECT_FALSE(client.ending);
    EXPECT_EQ(victim.bytes, 0u);
  }
  std::uint64_t dropped(Drop drop) const { return server.drops().value(drop); }

  Victim victim;
};

TEST_F(DirectAttack, ForgedPacketsAreCounted) {
  const auto caught = catch_packets(10);
  for (const Packet& packet : caught) {
    for (std::size_t bit = 0; bit < 8 * packet.size(); bit += 97) {
      Packet forged = packet;
      forged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      if (is_direct_to(server_session(), forged)) give_server(forged, kAttacker);
    }
  }
  EXPECT_GT(dropped(Drop::kForged), 400u);
  EXPECT_EQ(server.delivered.size(), 0u);
  for (const Packet& packet : caught) give_server(packet);
  EXPECT_EQ(server.delivered.size(), 10u) << "their counters are still free";
  expect_no_harm();
}

TEST_F(DirectAttack, ReplayedPacketsAreCounted) {
  std::vector<Packet> seen;
  tap([&](Bytes payload) {
    seen.emplace_back(payload.begin(), payload.end());
    return true;
  });
  EXPECT_EQ(send_for(1s), 0u);
  untap();
  const std::size_t delivered = server.delivered.size();
  for (const Packet& packet : seen) {
    give_server(packet);
    give_server(packet, kAttacker);
  }
  EXPECT_EQ(dropped(Drop::kReplayed), 2 * seen.size());
  EXPECT_EQ(server.delivered.size(), delivered);
  expect_no_harm();
}

TEST_F(DirectAttack, TruncatedPacketsAreCounted) {
  const Packet packet = catch_packets(1)[0];
  const std::uint64_t before = server.drops().total();
  for (std::size_t bytes = 0; bytes < packet.size(); ++bytes) {
    give_server(Bytes(packet).first(bytes));
  }
  EXPECT_EQ(server.drops().total() - before, packet.size());
  EXPECT_EQ(dropped(Drop::kForged), packet.size() - wire::kDirectOverhead);
  expect_no_harm();
}

TEST_F(DirectAttack, ReflectedPacketsAreCounted) {
  Packet packet = catch_packets(1)[0];
  give_client(packet);
  EXPECT_EQ(client.drops().value(Drop::kForged), 0u) << "not even its ID is the client's";
  append(MutableBytes(packet).subspan(1), client.session().direct()->own_ids()[0]);
  give_client(packet);
  EXPECT_EQ(client.drops().value(Drop::kForged), 1u);
  EXPECT_TRUE(client.delivered.empty());
  expect_no_harm();
}

TEST_F(DirectAttack, PacketsOfAnotherSessionAreCounted) {
  ClientNode other({.caps = with_direct()}, 3);
  world.attach(kClient2Address, other, {.delay = 10ms});
  Packet packet = catch_packets(1)[0];
  ASSERT_TRUE(connect(other, kClient2Address));
  world.run_for(3s);
  for (const auto& session : server.tunnel().sessions()) {
    if (session->lease() != other.response->client_ip) continue;
    append(MutableBytes(packet).subspan(1), session->direct()->own_ids()[0]);
    give_server(packet, kClient2Address);
    EXPECT_EQ(session->direct()->path().remote, kClient2Address);
    EXPECT_TRUE(session->direct()->is_usable());
  }
  EXPECT_EQ(dropped(Drop::kForged), 1u);
  EXPECT_TRUE(server.delivered.empty());
}

TEST_F(DirectAttack, OldPacketsFromElsewhereMoveNothing) {
  const auto caught = catch_packets(5);
  EXPECT_EQ(send_for(100ms), 0u);
  for (const Packet& packet : caught) give_server(packet, kAttacker);
  EXPECT_EQ(server.delivered.size(), 15u) << "late, and good";
  expect_no_harm();
}

// A packet that the client has just sent comes from elsewhere, and the client is busy receiving.
TEST_F(DirectAttack, FloodsNobodyWithASpoofedAddress) {
  const Packet packet = catch_packets(1, 200)[0];
  give_server(packet, kAttacker);
  EXPECT_EQ(server_session().direct()->path().remote, kAttacker);
  for (int i = 0; i < 100; ++i) {
    server.inject(down(1200), world.now());
    server.inject(down(100), world.now());
    world.run_for(1ms);
  }
  world.run_for(10s);
  EXPECT_GT(victim.bytes, 0u);
  EXPECT_LE(victim.bytes, 3 * packet.size());
}

TEST_F(DirectAttack, ComesBackToTheClientWithItsNextPacket) {
  std::size_t given = 0;
  for (int i = 0; i < 5; ++i) {
    const Packet packet = catch_packets(1)[0];
    given += packet.size();
    give_server(packet, kAttacker);
    EXPECT_EQ(server_session().direct()->path().remote, kAttacker);
    EXPECT_EQ(send_for(500ms), 0u);
    EXPECT_EQ(server_session().direct()->path().remote, kClientAddress);
  }
  EXPECT_LE(victim.bytes, 3 * given);
  EXPECT_TRUE(is_direct());
  EXPECT_FALSE(client.ending);
}

TEST_F(DirectAttack, LosesNothingOfWhatAQuietClientIsSent) {
  give_server(catch_packets(1)[0], kAttacker);
  std::size_t sent = 0;
  for (; sent < 300; ++sent) {
    server.inject(down(600), world.now());
    world.run_for(10ms);
  }
  world.run_for(1s);
  // Until the plane counts as dead, packets wait; then they go where QUIC knows the client to be.
  EXPECT_GE(client.delivered.size() + 10, sent);
  EXPECT_FALSE(client.ending);
}

// Three times this is less than one packet: not one can be sent that would be missed.
TEST_F(DirectAttack, LosesNothingWhenNothingMayBeSentToTheAddress) {
  give_server(catch_feedback(), kAttacker);
  std::size_t sent = 0;
  for (; sent < 100; ++sent) {
    server.inject(down(1200), world.now());
    world.run_for(10ms);
  }
  world.run_for(1s);
  EXPECT_GE(client.delivered.size() + 10, sent);
  EXPECT_FALSE(client.ending);
}

TEST_F(DirectAttack, FollowsANatThereAndBackUnderLoad) {
  const auto session = server_session().id();
  const SocketAddress outside{kClientAddress.address, 50001};
  for (const SocketAddress& address : {outside, kClientAddress, outside, kClientAddress}) {
    world.translate(kClientAddress, address);
    const std::size_t before = client.delivered.size();
    std::size_t sent = 0;
    for (const Timestamp end = world.now() + 1s; world.now() < end; ++sent) {
      client.inject(up(600), world.now());
      server.inject(down(600), world.now());
      world.run_for(5ms);
    }
    world.run_for(100ms);
    EXPECT_EQ(server_session().direct()->path().remote, address);
    // The packets under way to where nobody is any more.
    EXPECT_GE(client.delivered.size() - before + 10, sent);
  }
  EXPECT_EQ(server_session().id(), session);
  EXPECT_TRUE(is_direct());
  EXPECT_FALSE(client.ending);
}

TEST_F(DirectAttack, MovesWithTheClientUnderLoad) {
  for (const std::uint16_t port : {41000, 42000}) {
    const SocketAddress from{kClientAddress.address, port};
    world.attach(from, client, {.delay = 10ms});
    ASSERT_TRUE(client.tunnel().migrate(connection_of(client.session()), {from, kServerAddress},
                                        world.now()));
    EXPECT_LE(send_for(1s), 1u);
    EXPECT_EQ(server_session().direct()->path().remote, from);
    EXPECT_EQ(connection_of(server_session()).path().remote, from);
  }
  EXPECT_TRUE(is_direct());
}

// Ten minutes after the session began, in the middle of traffic that does not keep its order.
TEST_F(DirectAttack, UpdatesItsKeysUnderTrafficWithoutLoss) {
  send_for(1s);
  Packet late;
  Packet too_late;
  world.run_for(595s - world.now().time_since_epoch());
  late = catch_packets(1)[0];
  too_late = catch_packets(1)[0];
  set_links({.delay = 10ms, .reordered = 0.3});
  const std::size_t up_before = server.delivered.size();
  const std::size_t down_before = client.delivered.size();
  const auto send_until = [&](Timestamp end) {
    std::size_t sent = 0;
    for (; world.now() < end; ++sent) {
      client.inject(up(600), world.now());
      server.inject(down(600), world.now());
      world.run_for(2ms);
    }
    return sent;
  };
  // The handshake ended within the second after the beginning of time, one second.
  const std::size_t sent = send_until(Timestamp{601s + 300ms});
  EXPECT_EQ(dropped(Drop::kForged), 0u);
  give_server(late);
  EXPECT_EQ(dropped(Drop::kForged), 0u) << "the old key is still known";
  const std::size_t sent_later = send_until(Timestamp{603s});
  world.run_for(100ms);
  EXPECT_EQ(server.delivered.size() - up_before, sent + sent_later + 1);
  EXPECT_EQ(client.delivered.size() - down_before, sent + sent_later);
  EXPECT_EQ(dropped(Drop::kForged) + client.drops().value(Drop::kForged), 0u);
  give_server(too_late);
  EXPECT_EQ(dropped(Drop::kForged), 1u) << "an old phase's key is forgotten";
  EXPECT_TRUE(is_direct());
}

// --- packets that vanish ---

TEST_F(DirectAttack, GoesBackToTheQuicPlaneWhileTheServersPacketsVanish) {
  world.set_link(kServerAddress, {.delay = 10ms, .passes = [&](Bytes payload) {
                                    return !is_direct_to(client.session(), payload);
                                  }});
  for (int i = 0; i < 300; ++i) {
    server.inject(down(600), world.now());
    world.run_for(10ms);
  }
  EXPECT_FALSE(server_session().direct()->is_usable());
  EXPECT_GE(client.delivered.size() + 70, 300u);
  world.set_link(kServerAddress, {.delay = 10ms});
  world.run_for(5s);
  EXPECT_TRUE(server_session().direct()->is_usable());
}

TEST_F(DirectAttack, OutlivesLostFeedback) {
  bool has_lost = false;
  world.set_link(kServerAddress, {.delay = 10ms, .passes = [&](Bytes payload) {
                                    return !is_direct_to(client.session(), payload) ||
                                           std::exchange(has_lost, true);
                                  }});
  client.inject(up(600), world.now());
  EXPECT_FALSE(world.run_until([&] { return !is_direct(); }, 3s));
  EXPECT_TRUE(has_lost);
}

class DirectOnly : public DirectAttack {
 protected:
  DirectOnly() : DirectAttack(/*needs_direct=*/true) {}
};

TEST_F(DirectOnly, SendsNothingByQuic) {
  tap([](Bytes) { return false; });
  send_for(3s);
  EXPECT_FALSE(client.session().direct()->is_usable());
  EXPECT_EQ(server.delivered.size(), 0u);
  untap();
  world.run_for(5s);
  EXPECT_TRUE(is_direct());
  const std::size_t waited = server.delivered.size();
  EXPECT_EQ(send_for(1s), 0u);
  EXPECT_GE(server.delivered.size(), waited + 100);
}

TEST_F(DirectOnly, WaitsForThePlaneAtTheBeginning) {
  ClientNode other({.caps = with_direct(), .needs_direct = true}, 3);
  bool is_open = false;
  world.attach(kClient2Address, other, {.delay = 10ms, .passes = [&](Bytes payload) {
                                          for (const auto& session : server.tunnel().sessions()) {
                                            if (is_direct_to(*session, payload)) return is_open;
                                          }
                                          return true;
                                        }});
  ASSERT_TRUE(connect(other, kClient2Address));
  other.inject(udp_packet(other.response->client_ip, kInternet, 100), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered.size(), 0u);
  is_open = true;
  world.run_for(10s);
  other.inject(udp_packet(other.response->client_ip, kInternet, 100), world.now());
  world.run_for(1s);
  EXPECT_GE(server.delivered.size(), 1u);
}

// The plane comes back where QUIC knows the client to be.
TEST_F(DirectOnly, ReturnsToAQuietClient) {
  give_server(catch_feedback(), kAttacker);
  for (int i = 0; i < 100; ++i) {
    server.inject(down(1200), world.now());
    world.run_for(10ms);
  }
  EXPECT_EQ(server_session().direct()->path().remote, kClientAddress);
  EXPECT_GE(client.delivered.size(), 30u);
  EXPECT_TRUE(is_direct());
}

TEST_F(DirectOnly, HasNoSessionWithoutTheCap) {
  ClientNode plain({.caps = wire::Capabilities::supported()}, 3);
  world.attach(kClient2Address, plain, {.delay = 10ms});
  EXPECT_FALSE(connect(plain, kClient2Address));
  ASSERT_TRUE(plain.ending);
}

}  // namespace
}  // namespace qdt::testing
