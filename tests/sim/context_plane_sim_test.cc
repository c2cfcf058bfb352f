// A session on version 2's datagrams, from end to end: plain, sealed, and with a plain peer of
// CONNECT-IP.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sim/agreed_node.h"

namespace qdt::testing {
namespace {

constexpr std::size_t kUdpIp = 28;
// Of an outer IPv4 packet over the inner one: IP, UDP, QUIC, and 2 bytes of datagram.
constexpr std::size_t kOuterBytes = 62;

class ContextSim : public ::testing::Test {
 protected:
  explicit ContextSim(const Agreement& agreement = with_contexts())
      : ContextSim(agreement, agreement) {}
  ContextSim(const Agreement& of_server, const Agreement& of_client)
      : terms(of_server.contexts.value_or(wire::ContextTerms{})),
        server(Role::kServer, of_server),
        client(Role::kClient, of_client) {}

  // Until both have a session.
  void connect(const LinkOptions& link = {.delay = 10ms}) {
    world.attach(kServerAddress, server, link);
    world.attach(kClientAddress, client, link);
    client.connect(kClientAddress, kServerAddress, world.now());
    ASSERT_TRUE(world.run_until([&] { return client.has_session(); }, 5s));
  }
  // Until the path is known.
  void begin(const LinkOptions& link = {.delay = 10ms}) {
    connect(link);
    world.run_for(8s);
  }
  void set_links(const LinkOptions& link) {
    world.set_link(kServerAddress, link);
    world.set_link(kClientAddress, link);
  }
  static Packet up(std::size_t bytes, std::uint8_t fill = 0) {
    return udp_packet(AgreedNode::kLease, kInternet, bytes, fill);
  }
  static Packet up6(std::size_t bytes) {
    return udp_packet(AgreedNode::kLease6, kInternet6, bytes);
  }
  static Packet down(std::size_t bytes, std::uint8_t fill = 0) {
    return udp_packet(kInternet, AgreedNode::kLease, bytes, fill);
  }
  // As if the client had sent it, but past the connection.
  void give_server(Bytes datagram) {
    server.tunnel().receive(server.session(), server.plane(), datagram, world.now());
  }
  // As the client's plane would write it.
  static Packet written(wire::ContextSealer& sealer, wire::DatagramType type, Bytes content) {
    Packet datagram(sealer.overhead(type) + content.size());
    sealer.seal(type, {}, content, datagram);
    return datagram;
  }

  SimWorld world{42};
  wire::ContextTerms terms;
  AgreedNode server;
  AgreedNode client;
};

/// Plain and sealed.
class ContextModes : public ContextSim, public ::testing::WithParamInterface<Agreement> {
 protected:
  ContextModes() : ContextSim(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Modes, ContextModes,
                         ::testing::Values(with_contexts(), with_sealed_contexts()),
                         [](const auto& mode) { return mode.index == 0 ? "Plain" : "Sealed"; });

TEST_P(ContextModes, CarriesPacketsBothWays) {
  begin();
  client.inject(up(1350, 1), world.now());
  client.inject(up(60, 2), world.now());
  server.inject(down(1350, 3), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(1350, 1), up(60, 2)}));
  EXPECT_EQ(client.delivered, (std::vector<Packet>{down(1350, 3)}));
}

TEST_P(ContextModes, CutsLargePackets) {
  begin();
  client.inject(up(4000, 1), world.now());
  server.inject(down(2000, 2), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(4000, 1)}));
  EXPECT_EQ(client.delivered, (std::vector<Packet>{down(2000, 2)}));
}

TEST_P(ContextModes, LosesOnlyWhatThePathLoses) {
  begin();
  set_links({.delay = 10ms, .loss = 0.05});
  for (int i = 0; i < 500; ++i) {
    client.inject(up(1000 + static_cast<std::size_t>(i), 1), world.now());
    world.run_for(2ms);
  }
  world.run_for(1s);
  EXPECT_GT(server.delivered.size(), 450u);
  EXPECT_LT(server.delivered.size(), 500u);
  EXPECT_EQ(server.drops().total(), 0u);
}

TEST_P(ContextModes, AnswersPings) {
  begin();
  const std::array<std::uint8_t, 3> content{7, 8, 9};
  wire::ContextSealer sealer(terms, Role::kClient, 1000);
  give_server(written(sealer, wire::DatagramType::kPing, content));
  EXPECT_TRUE(server.plane().has_something(world.now())) << "a Pong";
  world.run_for(50ms);
  EXPECT_FALSE(server.plane().has_something(world.now()));
  give_server(written(sealer, wire::DatagramType::kPing, Packet(65)));
  EXPECT_FALSE(server.plane().has_something(world.now())) << "too long for an answer";
  give_server(written(sealer, wire::DatagramType::kPong, content));
  EXPECT_FALSE(server.plane().has_something(world.now()));
  EXPECT_EQ(server.drops().total(), 0u);
}

TEST_P(ContextModes, TellsWhyItEnds) {
  begin();
  server.tunnel().close_session(server.session(), tunnel::SessionEnd::kKicked, world.now());
  world.run_for(50ms);
  EXPECT_FALSE(client.has_session());
  EXPECT_EQ(client.peer_reason, tunnel::SessionEnd::kKicked);
}

TEST_P(ContextModes, FindsWhatThePathCarries) {
  begin({.delay = 10ms, .max_payload_bytes = 1400 - kUdpIp});
  const std::size_t seal = terms.sealed ? wire::kSealedOverhead - 1 : 0;
  EXPECT_EQ(client.session().whole_packet_bytes(), 1400 - kOuterBytes - seal);
}

TEST_P(ContextModes, DropsWhatIsNoPacketOfTheSession) {
  begin();
  wire::ContextSealer sealer(terms, Role::kClient, 1000);
  const auto send = [&](Bytes content) {
    give_server(written(sealer, wire::DatagramType::kData, content));
  };
  send({});
  send(Packet(40, 0xff));
  Packet lying = up(100);
  lying.resize(90);
  send(lying);
  EXPECT_EQ(server.drops().value(Drop::kMalformed), 3u);
  send(udp_packet(kInternet, AgreedNode::kLease, 100));
  EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), 1u);
  send(up(1500));  // larger than was agreed on, and nobody's harm
  world.run_for(10ms);
  EXPECT_TRUE(server.has_session());
  EXPECT_EQ(server.drops().total(), 4u);
}

TEST_F(ContextSim, DropsDatagramsOfUnknownContexts) {
  begin();
  for (const std::uint8_t context : {1, 3, 6, 62, 63}) give_server(Packet{context, 2});
  give_server(Packet{0x40});
  EXPECT_EQ(server.drops().value(Drop::kUnknownType), 5u);
  EXPECT_EQ(server.drops().value(Drop::kShort), 1u);
  client.inject(up(100), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(100)}));
}

class SealedContextSim : public ContextSim {
 protected:
  SealedContextSim() : ContextSim(with_sealed_contexts()) {}
};

TEST_F(SealedContextSim, DropsReplaysAndForgeries) {
  begin();
  wire::ContextSealer sealer(terms, Role::kClient, 1000);
  const Packet datagram = written(sealer, wire::DatagramType::kData, up(100));
  Packet forged = datagram;
  forged.back() ^= 1;
  give_server(forged);
  EXPECT_EQ(server.drops().value(Drop::kForged), 1u);
  give_server(datagram);
  give_server(datagram);
  EXPECT_EQ(server.drops().value(Drop::kReplayed), 1u);
  EXPECT_EQ(server.tunnel().packets().size(), 1u);
  give_server(Packet{0, 0x45});
  EXPECT_EQ(server.drops().value(Drop::kUnknownType), 1u) << "what anybody behind TLS could send";
}

// A client that sends from another address than the server lent.
class WrongSourceSim : public ContextSim, public ::testing::WithParamInterface<Agreement> {
 protected:
  WrongSourceSim() : ContextSim(GetParam(), mistaken(GetParam())) {}

  static Agreement mistaken(Agreement agreement) {
    agreement.lease = IpAddress::v4(0x0a080063);
    agreement.lease6 = IpAddress::parse("fd00:8::63").value();
    return agreement;
  }
  const IpAddress lease = mistaken({}).lease;
  const IpAddress lease6 = *mistaken({}).lease6;
};

constexpr std::array kPeers{"Version1", "Contexts", "Plain"};

INSTANTIATE_TEST_SUITE_P(Peers, WrongSourceSim,
                         ::testing::Values(Agreement{}, with_contexts(), with_plain_contexts()),
                         [](const auto& peer) { return kPeers[peer.index]; });

TEST_P(WrongSourceSim, IsToldInTheSession) {
  begin();
  client.inject(udp_packet(lease, kInternet, 100, 1), world.now());
  client.inject(udp_packet(lease6, kInternet6, 100, 1), world.now());
  world.run_for(50ms);
  EXPECT_TRUE(server.delivered.empty()) << "nothing goes out into the world";
  ASSERT_EQ(client.delivered.size(), 2u);
  const auto error4 = wire::parse_ip_packet(client.delivered[0]);
  EXPECT_EQ(load_be<std::uint16_t>(error4->payload().data()), 0x030d);
  const Packet sent = udp_packet(lease, kInternet, 100, 1);
  EXPECT_TRUE(std::ranges::equal(error4->payload().subspan(8), sent));
  const auto error6 = wire::parse_ip_packet(client.delivered[1]);
  EXPECT_EQ(load_be<std::uint16_t>(error6->payload().data()), 0x0105);
  EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), 2u);
}

TEST_P(WrongSourceSim, IsToldAtALimitedRateAndNotOfErrors) {
  begin();
  Packet error = udp_packet(lease, kInternet, 100);
  error[9] = wire::kProtocolIcmp;
  error[20] = 3;
  client.inject(error, world.now());
  for (int i = 0; i < 200; ++i) client.inject(udp_packet(lease, kInternet, 100), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), 201u);
  EXPECT_GT(client.delivered.size(), 90u);
  EXPECT_LT(client.delivered.size(), 110u);
}

/// With a peer that has nothing beyond CONNECT-IP.
class PlainContextSim : public ContextSim {
 protected:
  PlainContextSim() : ContextSim(with_plain_contexts()) {}

  // The MTU of the ICMP error that the client's TUN device was given last.
  std::uint32_t told_mtu() const {
    const auto error = wire::parse_ip_packet(client.delivered.back());
    return error->is_v4() ? load_be<std::uint16_t>(&error->payload()[6])
                          : load_be<std::uint32_t>(&error->payload()[4]);
  }
};

TEST_F(PlainContextSim, AnswersWhatDoesNotFitWhole) {
  begin({.delay = 10ms, .max_payload_bytes = 1400 - kUdpIp});
  constexpr std::size_t kWhole = 1400 - kOuterBytes;
  EXPECT_EQ(client.session().tunnel_mtu(), kWhole);
  client.inject(up(kWhole), world.now());
  EXPECT_TRUE(client.delivered.empty());
  client.inject(up(kWhole + 1), world.now());
  ASSERT_EQ(client.delivered.size(), 1u);
  EXPECT_EQ(told_mtu(), kWhole);
  client.inject(up6(kWhole + 1), world.now());
  ASSERT_EQ(client.delivered.size(), 2u);
  EXPECT_EQ(told_mtu(), kWhole);
  client.inject(up6(1280), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(kWhole), up6(1280)}));
  EXPECT_EQ(client.drops().value(Drop::kTooBig), 2u);
}

TEST_F(PlainContextSim, HasNoIpv6WhereThePathIsTooNarrow) {
  begin({.delay = 10ms, .max_payload_bytes = 1280 - kUdpIp});
  client.inject(up6(100), world.now());
  ASSERT_EQ(client.delivered.size(), 1u);
  const auto error = wire::parse_ip_packet(client.delivered.back());
  ASSERT_TRUE(error);
  EXPECT_EQ(load_be<std::uint16_t>(error->payload().data()), 0x0100) << "no route to destination";
  for (int i = 0; i < 200; ++i) client.inject(up6(100), world.now());
  EXPECT_EQ(client.delivered.size(), 100u) << "limited";
  client.inject(up(1280 - kOuterBytes), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(1280 - kOuterBytes)}));
}

TEST_F(PlainContextSim, SaysNothingWhileThePathIsSearched) {
  connect({.delay = 10ms, .max_payload_bytes = 1400 - kUdpIp});
  client.inject(up(1330), world.now());
  EXPECT_TRUE(client.delivered.empty()) << "a word would be remembered";
  EXPECT_EQ(client.drops().value(Drop::kTooBig), 1u);
  world.run_for(8s);
  client.inject(up(1330), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(1330)}));
}

// RFC 9484 section 7: no IPv6 on a link that is not known to carry its packets.
TEST_F(PlainContextSim, BringsIpv6UpOnceAProbeCameThrough) {
  connect({.delay = 10ms, .max_payload_bytes = 1400 - kUdpIp});  // Ethernet's size is tried first
  client.inject(up6(100), world.now());
  ASSERT_EQ(client.delivered.size(), 1u);
  const auto error = wire::parse_ip_packet(client.delivered.back());
  EXPECT_EQ(load_be<std::uint16_t>(error->payload().data()), 0x0100) << "no route to destination";
  server.inject(udp_packet(kInternet6, AgreedNode::kLease6, 100), world.now());
  EXPECT_EQ(server.delivered.size(), 1u) << "either side";
  EXPECT_TRUE(world.run_until([&] { return client.session().carries_ipv6(); }, 5s));
  client.inject(up6(1280), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered.back(), up6(1280));
}

// Packets are dropped while a path that has shrunk is searched, but nobody gives IPv6 up for that.
TEST_F(PlainContextSim, TakesIpv6DownWhenASearchHasEnded) {
  begin();
  set_links({.delay = 10ms, .max_payload_bytes = 1290 - kUdpIp});
  const auto send = [&] {
    client.inject(up(client.session().tunnel_mtu()), world.now());
    client.inject(up6(100), world.now());
    world.run_for(1ms);
    return client.session().tunnel_mtu() < 1280;
  };
  bool is_found = false;
  for (int i = 0; i < 3000 && !is_found; ++i) is_found = send();
  ASSERT_TRUE(is_found);
  EXPECT_TRUE(client.delivered.empty());
  client.inject(up6(100), world.now());
  EXPECT_EQ(client.delivered.size(), 1u);
}

TEST_F(ContextSim, CutsIpv6PacketsFromTheBeginning) {
  connect({.delay = 10ms, .max_payload_bytes = 1280 - kUdpIp});
  client.inject(up6(1280), world.now());
  world.run_for(50ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up6(1280)}));
}

// Probes of contexts that the peer does not know tell what the path carries.
TEST_F(PlainContextSim, NoticesAPathThatShrinks) {
  const auto link = [](std::size_t mtu) {
    return LinkOptions{.delay = 10ms, .max_payload_bytes = mtu - kUdpIp};
  };
  begin(link(1500));
  EXPECT_EQ(client.session().tunnel_mtu(), 1350u);
  set_links(link(1400));
  const auto send = [&] {
    client.inject(up(client.session().tunnel_mtu()), world.now());
    world.run_for(1ms);
    return client.session().tunnel_mtu() == 1400 - kOuterBytes;
  };
  bool is_found = false;
  for (int i = 0; i < 3000 && !is_found; ++i) is_found = send();
  EXPECT_TRUE(is_found) << client.session().tunnel_mtu();
  EXPECT_GT(server.drops().value(Drop::kUnknownType), 0u);
}

TEST_F(PlainContextSim, IsKeptAliveByQuicAlone) {
  begin();
  world.run_for(10min);
  EXPECT_TRUE(client.has_session());
  EXPECT_TRUE(server.has_session());
  EXPECT_EQ(server.drops().total(), 0u);
}

TEST_F(PlainContextSim, ClosesWithoutAReason) {
  begin();
  server.tunnel().close_session(server.session(), tunnel::SessionEnd::kKicked, world.now());
  world.run_for(50ms);
  EXPECT_FALSE(client.has_session());
  EXPECT_EQ(client.drops().total(), 0u);
}

}  // namespace
}  // namespace qdt::testing
