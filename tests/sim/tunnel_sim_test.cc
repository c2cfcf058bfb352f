// Server and client as they are, but for sockets, TUN devices and the clock: handshake, packets
// both ways, refusals and faults, on virtual time.

#include <gtest/gtest.h>

#include "sim/tunnel_sim.h"
#include "wire/icmp.h"

namespace qdt::testing {
namespace {

const SocketAddress kOtherServerAddress{IpAddress::v4(0xc0000202), 443};

TEST_F(TunnelSim, GrantsALease) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->client_ip.to_string(), "10.8.0.2");
  EXPECT_EQ(client.response->gateway_ip.to_string(), "10.8.0.1");
  EXPECT_EQ(client.response->mtu, 1350u);
  EXPECT_TRUE(client.response->caps.ping);
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kOk), 1u);
  EXPECT_EQ(server.leases.lent(), 1u);
}

TEST_F(TunnelSim, CarriesPacketsBothWays) {
  ASSERT_TRUE(connect());
  client.inject(up(100, 1), world.now());
  server.inject(down(200, 2), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered, std::vector<Packet>{up(100, 1)});
  EXPECT_EQ(client.delivered, std::vector<Packet>{down(200, 2)});
  EXPECT_EQ(server.counters.packets_up.value(), 1u);
  EXPECT_EQ(server.counters.bytes_down.value(), 200u);
}

TEST_F(TunnelSim, CarriesAFullPacketInFragmentsOverASmallPath) {
  set_links({.delay = 10ms, .max_payload_bytes = 1250});
  ASSERT_TRUE(connect());
  client.inject(up(1350, 3), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered, std::vector<Packet>{up(1350, 3)});
}

TEST_F(TunnelSim, CarriesAFullPacketInOneDatagramOnceThePathIsKnown) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  const auto before = world.delivered();
  client.inject(up(1350, 3), world.now());
  world.flush();
  world.run_until([&] { return !server.delivered.empty(); }, 1s);
  EXPECT_EQ(world.delivered() - before, 1u);
}

TEST_F(TunnelSim, KeepsTheOrderOfAFlow) {
  ASSERT_TRUE(connect());
  for (std::uint8_t i = 0; i < 200; ++i) client.inject(up(60 + i, i), world.now());
  world.run_for(2s);
  ASSERT_EQ(server.delivered.size(), 200u);
  for (std::uint8_t i = 0; i < 200; ++i) EXPECT_EQ(server.delivered[i], up(60 + i, i));
}

TEST_F(TunnelSim, SmallPacketsShareAPayload) {
  ASSERT_TRUE(connect());
  const auto payloads = world.delivered();
  for (std::uint8_t i = 0; i < 100; ++i) client.inject(up(64, i), world.now());
  world.run_for(100ms);
  ASSERT_EQ(server.delivered.size(), 100u);
  for (std::uint8_t i = 0; i < 100; ++i) EXPECT_EQ(server.delivered[i], up(64, i));
  EXPECT_LE(world.delivered() - payloads, 30u);  // acknowledgements among them
}

TEST_F(TunnelSim, DropsASpoofedSource) {
  ASSERT_TRUE(connect());
  client.inject(udp_packet(IpAddress::v4(0x0a080063), kInternet, 100), world.now());
  EXPECT_EQ(client.drops().value(Drop::kSpoofedSource), 1u);
  client.delivered.clear();  // its host has been told
  // A client that does not check.
  const Packet spoofed = udp_packet(IpAddress::v4(0x0a080063), kInternet, 100);
  client.session().send(*wire::parse_ip_packet(spoofed), client.tunnel().payloads(), world.now());
  client.session().flush(1, client.tunnel().payloads(), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), 1u);
  EXPECT_TRUE(server.delivered.empty());
  EXPECT_TRUE(client.delivered.empty()) << "the server's answer is for another address";
}

// Type and code of an ICMP error, and whom it tells.
struct Told {
  std::string address;
  int error = 0;
  bool operator==(const Told&) const = default;
};
std::vector<Told> told(const std::vector<Packet>& packets) {
  std::vector<Told> all;
  for (const Packet& packet : packets) {
    const auto ip = wire::parse_ip_packet(packet);
    all.push_back({ip->destination.to_string(), load_be<std::uint16_t>(ip->payload().data())});
  }
  return all;
}

TEST_F(TunnelSim, TellsTheClientsHostThatASourceIsNotTheLease) {
  ASSERT_TRUE(connect());
  const IpAddress other = IpAddress::v4(0x0a080063);
  client.inject(udp_packet(other, kInternet, 100), world.now());
  ASSERT_EQ(told(client.delivered), (std::vector<Told>{{"10.8.0.99", 0x030d}}));
  EXPECT_EQ(wire::parse_ip_packet(client.delivered.back())->source, kInternet);
  for (int i = 0; i < 200; ++i) client.inject(udp_packet(other, kInternet, 100), world.now());
  EXPECT_EQ(client.delivered.size(), 100u) << "limited";
  world.run_for(1s);
  for (int i = 0; i < 200; ++i) client.inject(udp_packet(other, kInternet, 100), world.now());
  EXPECT_EQ(client.delivered.size(), 200u);
}

TEST_F(TunnelSim, TellsNobodyOfPacketsForGroupsAndLinks) {
  ASSERT_TRUE(connect());
  for (const char* destination : {"224.0.0.251", "255.255.255.255", "169.254.1.1"}) {
    const IpAddress other = IpAddress::v4(0x0a080063);
    client.inject(udp_packet(other, *IpAddress::parse(destination), 100), world.now());
  }
  EXPECT_EQ(client.drops().value(Drop::kSpoofedSource), 3u);
  EXPECT_TRUE(client.delivered.empty());
}

TEST_F(TunnelSim, ClientTakesNoPacketForAnotherAddress) {
  ASSERT_TRUE(connect());
  tunnel::Session& session = *server.tunnel().sessions().find(lease());
  const Packet spoofed = udp_packet(kInternet, IpAddress::v4(0x7f000001), 100);
  session.send(*wire::parse_ip_packet(spoofed), server.tunnel().payloads(), world.now());
  world.run_for(1s);
  EXPECT_EQ(client.drops().value(Drop::kSpoofedSource), 1u);
  EXPECT_TRUE(client.delivered.empty());
}

TEST_F(TunnelSim, DropsWhatIsNoPacket) {
  ASSERT_TRUE(connect());
  client.inject(Packet(10, 0xff), world.now());
  client.inject(Packet(), world.now());
  EXPECT_EQ(client.drops().value(Drop::kMalformed), 2u);
}

TEST_F(TunnelSim, DropsPacketsToAddressesNobodyHas) {
  ASSERT_TRUE(connect());
  server.inject(udp_packet(kInternet, IpAddress::v4(0x0a080099), 100), world.now());
  EXPECT_EQ(server.drops().value(Drop::kNoSession), 1u);
}

TEST_F(TunnelSim, TellsAClientThatNobodyHasAnAddress) {
  ASSERT_TRUE(connect());
  const IpAddress nobodys = IpAddress::v4(0x0a080099);
  server.inject(udp_packet(lease(), nobodys, 100), world.now());
  EXPECT_EQ(told(server.delivered), (std::vector<Told>{{lease().to_string(), 0x0300}}));
  EXPECT_EQ(server.drops().value(Drop::kNoSession), 1u);
  server.inject(udp_packet(kInternet, nobodys, 100), world.now());
  server.inject(udp_packet(IpAddress::v4(0x0a080098), nobodys, 100), world.now());
  EXPECT_EQ(server.delivered.size(), 1u) << "whose source may be forged";
  for (int i = 0; i < 200; ++i) server.inject(udp_packet(lease(), nobodys, 100), world.now());
  EXPECT_EQ(server.delivered.size(), 100u) << "limited";
}

TEST_F(TunnelSim, KeepsTwoClientsApart) {
  ClientNode other({}, 9);
  world.attach(kClient2Address, other, {.delay = 10ms});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(other, kClient2Address));
  EXPECT_EQ(other.response->client_ip.to_string(), "10.8.0.3");
  server.inject(down(100, 1), world.now());
  server.inject(udp_packet(kInternet, other.response->client_ip, 100, 2), world.now());
  world.run_for(1s);
  EXPECT_EQ(client.delivered.size(), 1u);
  EXPECT_EQ(other.delivered.size(), 1u);
  EXPECT_EQ(other.delivered[0][99], 2);
}

TEST_F(TunnelSim, TellsTheServerWhenItLeaves) {
  ASSERT_TRUE(connect());
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "bye", world.now());
  world.run_for(1s);
  EXPECT_EQ(server.tunnel().sessions().size(), 0u);
  EXPECT_EQ(server.leases.lent(), 0u);
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(TunnelSim, TellsTheClientWhenItStops) {
  ASSERT_TRUE(connect());
  server.tunnel().close_all(tunnel::SessionEnd::kShutdown, "server stops", world.now());
  world.run_for(1s);
  ASSERT_TRUE(client.ending);
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kLost);
}

TEST_F(TunnelSim, NoticesAClientThatVanished) {
  ASSERT_TRUE(connect());
  set_links({.loss = 1});
  world.run_for(45s);
  EXPECT_EQ(server.leases.lent(), 0u);
  ASSERT_TRUE(client.ending);
}

TEST_F(TunnelSim, StaysConnectedWhileNothingIsSent) {
  ASSERT_TRUE(connect());
  world.run_for(600s);
  EXPECT_FALSE(client.ending);
  client.inject(up(100), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered.size(), 1u);
}

TEST_F(TunnelSim, SurvivesALossyReorderingPath) {
  set_links(
      {.delay = 20ms, .loss = 0.05, .duplicates = 0.05, .reordered = 0.1, .reorder_delay = 10ms});
  ASSERT_TRUE(connect());
  world.run_for(5s);
  constexpr int kPackets = 2000;
  for (int i = 0; i < kPackets; ++i) {
    client.inject(up(1000), world.now());
    server.inject(down(1000), world.now());
    world.run_for(2ms);
  }
  world.run_for(2s);
  EXPECT_GT(server.delivered.size(), kPackets * 9 / 10);
  EXPECT_GT(client.delivered.size(), kPackets * 9 / 10);
  EXPECT_LE(server.delivered.size(), static_cast<std::size_t>(kPackets));
  EXPECT_EQ(server.drops().value(Drop::kForged), 0u);
}

TEST_F(TunnelSim, AnswersAPacketThatIsTooBig) {
  ASSERT_TRUE(connect());
  server.inject(udp_packet(kInternet, lease(), 1400, 0, /*dont_fragment=*/true), world.now());
  ASSERT_EQ(server.delivered.size(), 1u);
  const auto error = wire::parse_ip_packet(server.delivered[0]);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->destination, kInternet);
  EXPECT_EQ(error->protocol, wire::kProtocolIcmp);
  EXPECT_EQ(load_be<std::uint16_t>(&error->payload()[6]), 1350);
  EXPECT_EQ(server.drops().value(Drop::kTooBig), 1u);
}

TEST_F(TunnelSim, CarriesALargePacketThatMayBeFragmented) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  client.inject(up(4000, 5), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered, std::vector<Packet>{up(4000, 5)});
}

// --- refusals ---

// Another server knows nothing of the lease that a client has set aside.
TEST_F(TunnelSim, TakesTheLeaseAgainThatItHasSetAside) {
  ServerNode other({}, 7);
  world.attach(kOtherServerAddress, other, {.delay = 10ms});
  ASSERT_TRUE(connect());
  const IpAddress first = lease();
  client.connector.set_aside();
  client.response.reset();
  client.connect(kClientAddress, kOtherServerAddress, world.now());
  ASSERT_TRUE(world.run_until([&] { return client.response.has_value(); }, 5s));
  EXPECT_EQ(lease(), first);
  client.connector.end_set_aside(client.tunnel(), world.now());
  client.inject(up(600), world.now());
  world.run_for(1s);
  EXPECT_EQ(other.delivered.size(), 1u);
  EXPECT_EQ(client.tunnel().sessions().size(), 1u);
}

TEST_F(TunnelSim, RefusesAWrongToken) {
  ClientNode guesser({.token = "wrong"}, 5);
  world.attach(kClient2Address, guesser);
  EXPECT_FALSE(connect(guesser, kClient2Address));
  EXPECT_EQ(guesser.ending->kind, client::Ending::Kind::kRefused);
  EXPECT_EQ(guesser.ending->text, "unauthorized: the token is wrong");
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kUnauthorized), 1u);
}

TEST_F(TunnelSim, ShowsAPageToAWrongToken) {
  for (const auto& decoy : {server::Decoy::plain_page(), server::Decoy::status_page(404),
                            server::Decoy::status_page(503)}) {
    server.service.use_decoy(std::make_shared<const server::Decoy>(decoy));
    ClientNode guesser({.token = "wrong"}, 5);
    world.attach(kClient2Address, guesser);
    EXPECT_FALSE(connect(guesser, kClient2Address));
    EXPECT_EQ(guesser.ending->kind, client::Ending::Kind::kRefused);
    EXPECT_TRUE(guesser.ending->is_lasting);
    EXPECT_TRUE(guesser.ending->text.starts_with(
        "not admitted: the token is wrong, or this is no QDT server"));
  }
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kUnauthorized), 3u);
}

TEST_F(TunnelSim, RefusesInItsOwnWordsWhoHasTheTokenAlone) {
  server.service.use_decoy(std::make_shared<const server::Decoy>(server::Decoy::plain_page()));
  server.admission.set_ready(false);
  EXPECT_FALSE(connect());
  EXPECT_EQ(client.ending->text, "not ready: it is starting or its network is down; trying again");
  ClientNode guesser({.token = "wrong"}, 5);
  world.attach(kClient2Address, guesser);
  EXPECT_FALSE(connect(guesser, kClient2Address));
  EXPECT_TRUE(guesser.ending->text.starts_with("not admitted: "));
}

TEST_F(TunnelSim, RefusesWhileItIsNotReady) {
  server.admission.set_ready(false);
  EXPECT_FALSE(connect());
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kRefused);
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kNotReady), 1u);
}

class BusySim : public TunnelSim {
 protected:
  BusySim() : TunnelSim({.admission = {.max_sessions = 1}}) {}
};

TEST_F(BusySim, RefusesASessionTooMany) {
  ClientNode second({}, 5);
  world.attach(kClient2Address, second);
  ASSERT_TRUE(connect());
  EXPECT_FALSE(connect(second, kClient2Address));
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kBusy), 1u);
}

class TinyPoolSim : public TunnelSim {
 protected:
  TinyPoolSim() : TunnelSim({.pool = *Prefix::parse("10.9.0.0/30")}) {}
};

TEST_F(TinyPoolSim, LendsAnAddressAgainOnceItIsBack) {
  ClientNode second({}, 5);
  world.attach(kClient2Address, second);
  ASSERT_TRUE(connect());
  EXPECT_FALSE(connect(second, kClient2Address));
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kPoolExhausted), 1u);
  EXPECT_EQ(server.admission.sessions(), 1u);

  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  second.ending.reset();
  ASSERT_TRUE(connect(second, kClient2Address));
  EXPECT_EQ(second.response->client_ip, lease());
}

class LimitedSim : public TunnelSim {
 protected:
  LimitedSim() : TunnelSim({.admission = {.address_rate = {.per_second = 0.1, .burst = 2}}}) {}
};

TEST_F(LimitedSim, SlowsAGuesserDownAndNobodyElse) {
  for (const Duration delay : {0s, 0s, 4s}) {
    ClientNode guesser({.token = "wrong"}, 5);
    world.attach(kClient2Address, guesser);
    const Timestamp begin = world.now();
    EXPECT_FALSE(connect(guesser, kClient2Address));
    EXPECT_GE(world.now() - begin, delay);
    EXPECT_LT(world.now() - begin, delay + 1s);
    world.run_for(1s);
  }
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kUnauthorized), 3u);
  ClientNode honest({}, 6);
  world.attach(kClient2Address, honest);
  const Timestamp begin = world.now();
  EXPECT_TRUE(connect(honest, kClient2Address));
  EXPECT_LT(world.now() - begin, 1s);
}

TEST_F(TunnelSim, RefusesAClientThatTakesNoDatagrams) {
  // This side of it: our client notices that the server takes none.
  ServerNode plain({.tunnel = {.endpoint = {.connection = {.max_datagram_frame_bytes = 0}}}}, 8);
  world.attach(kServerAddress, plain);
  EXPECT_FALSE(connect());
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kUnreachable);
  EXPECT_NE(client.ending->text.find("not a QDT server"), std::string::npos);
}

TEST_F(TunnelSim, SaysThatNobodyAnswers) {
  set_links({.loss = 1});
  EXPECT_FALSE(connect());
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kNoAnswer);
  EXPECT_NE(client.ending->text.find("no answer from 192.0.2.1:443"), std::string::npos);
}

// --- limits ---

class IdleSim : public TunnelSim {
 protected:
  IdleSim() : TunnelSim({.tunnel = {.session_timeout = 60s}}) {}
};

TEST_F(IdleSim, ClosesASessionWithoutPackets) {
  ASSERT_TRUE(connect());
  world.run_for(50s);
  client.inject(up(100), world.now());
  world.run_for(55s);
  EXPECT_FALSE(client.ending);
  world.run_for(10s);
  EXPECT_TRUE(client.ending);
  EXPECT_EQ(server.leases.lent(), 0u);
}

class RateLimitSim : public TunnelSim {
 protected:
  RateLimitSim() : TunnelSim({.rate_limit = {.per_second = 100, .burst = 10}}) {}
};

TEST_F(RateLimitSim, LimitsEachDirectionByItself) {
  ASSERT_TRUE(connect());
  for (int i = 0; i < 50; ++i) {
    client.inject(up(100), world.now());
    server.inject(down(100), world.now());
  }
  world.run_for(1s);
  EXPECT_EQ(server.delivered.size(), 10u);
  EXPECT_EQ(client.delivered.size(), 10u);
  EXPECT_EQ(server.drops().value(Drop::kRateLimited), 80u);
}

class QueueSim : public TunnelSim {
 protected:
  QueueSim() : TunnelSim({.send_queue = 100}) {}
};

TEST_F(QueueSim, BoundsWhatWaitsForASlowConnection) {
  ASSERT_TRUE(connect());
  world.run_for(3s);
  for (int i = 0; i < 5000; ++i) server.inject(down(1350), world.now());
  EXPECT_GE(server.drops().value(Drop::kQueueFull), 4000u);
  world.run_for(5s);
  EXPECT_EQ(client.delivered.size() + server.drops().value(Drop::kQueueFull), 5000u);
}

// --- ciphers ---

class AesSim : public TunnelSim {
 public:
  AesSim() : TunnelSim({.caps = with_aes()}, {.caps = with_aes()}) {}
  static wire::Capabilities with_aes() {
    return wire::Capabilities::supported(wire::AeadPreference::kAes256Gcm);
  }
};

TEST_F(AesSim, AgreesOnAes) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->caps.aead(), wire::AeadAlgorithm::kAes256Gcm);
  client.inject(up(1350), world.now());
  server.inject(down(4000), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered.size(), 1u);
  EXPECT_EQ(client.delivered.size(), 1u);
}

class MixedSim : public TunnelSim {
 protected:
  MixedSim()
      : TunnelSim({.caps = wire::Capabilities::supported(wire::AeadPreference::kChaCha20Poly1305)},
                  {.caps = AesSim::with_aes()}) {}
};

TEST_F(MixedSim, AgreesOnChaChaWhereOneSideHasNoAes) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->caps.aead(), wire::AeadAlgorithm::kChaCha20Poly1305);
  server.inject(down(1350), world.now());
  world.run_for(1s);
  EXPECT_EQ(client.delivered.size(), 1u);
}

// --- plain v1 peers ---

class PlainSim : public TunnelSim {
 protected:
  PlainSim() : TunnelSim({}, {.caps = {}}) {}
};

TEST_F(PlainSim, AnswersNoCapsToAPeerThatOffersNone) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->caps, wire::Capabilities{});
  client.inject(up(1350), world.now());
  server.inject(down(1350), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered.size(), 1u);
  EXPECT_EQ(client.delivered.size(), 1u);
}

TEST_F(PlainSim, NoticesThatAPlainPeerLeft) {
  ASSERT_TRUE(connect());
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  EXPECT_EQ(server.leases.lent(), 0u);
}

class OnePlaceSim : public TunnelSim {
 protected:
  OnePlaceSim() : TunnelSim(one_place()) { world.attach(kClient2Address, other, {.delay = 10ms}); }
  static ServerNodeOptions one_place() {
    ServerNodeOptions options;
    options.tunnel.endpoint.strangers = {
        .max_connections = 1, .max_per_address = 1, .least_turn = {}, .most_turn = {}};
    return options;
  }

  ClientNode other{{}, 7};
};

// It has to go in the middle of its first handshake, for a client from elsewhere.
TEST_F(OnePlaceSim, AClientThatHasToGoIsToComeAgain) {
  client.connect(kClientAddress, kServerAddress, world.now());
  world.run_for(5ms);
  EXPECT_TRUE(connect(other, kClient2Address));
  ASSERT_TRUE(client.ending);
  EXPECT_EQ(client.ending->kind, client::Ending::Kind::kRefused) << client.ending->text;
  EXPECT_FALSE(client.ending->is_lasting);
  client.ending.reset();
  EXPECT_TRUE(connect());
}

}  // namespace
}  // namespace qdt::testing
