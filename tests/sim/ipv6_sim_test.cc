// IPv6 inside the tunnel, on virtual time: agreed on, carried, checked.

#include <gtest/gtest.h>

#include "sim/tunnel_sim.h"

namespace qdt::testing {
namespace {

class Ipv6Sim : public TunnelSim {
 protected:
  explicit Ipv6Sim(const ServerNodeOptions& options = {.ipv6 = kIpv6Pool},
                   const client::Connector::Options& client_options = {})
      : TunnelSim(options, client_options) {}

  Packet up6(std::size_t bytes, std::uint8_t fill = 0) const {
    return udp_packet(lease6(), kInternet6, bytes, fill);
  }
  Packet down6(std::size_t bytes, std::uint8_t fill = 0) const {
    return udp_packet(kInternet6, lease6(), bytes, fill);
  }
  // From a client that does not check what it sends.
  void send_unchecked(const Packet& packet) {
    const wire::IpPacket ip{.bytes = packet,
                            .source = lease(),
                            .destination = kInternet6,
                            .header_bytes = wire::kIpv6HeaderBytes,
                            .protocol = wire::kProtocolUdp,
                            .dont_fragment = true};
    client.session().send(ip, client.tunnel().payloads(), world.now());
    client.session().flush(1, client.tunnel().payloads(), world.now());
    world.run_for(1s);
  }
};

TEST_F(Ipv6Sim, LendsTheSameNumberOfBothPools) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(lease().to_string(), "10.8.0.2");
  EXPECT_EQ(lease6().to_string(), "fd00:8::2");
  EXPECT_EQ(client.response->ipv6->gateway_ip.to_string(), "fd00:8::1");
  EXPECT_EQ(client.response->ipv6->cidr.to_string(), "fd00:8::/64");
  EXPECT_EQ(server.leases.lent(), 1u);
}

TEST_F(Ipv6Sim, CarriesBothKindsBothWays) {
  ASSERT_TRUE(connect());
  client.inject(up6(100, 1), world.now());
  client.inject(up(100, 2), world.now());
  server.inject(down6(200, 3), world.now());
  server.inject(down(200, 4), world.now());
  world.run_for(1s);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up6(100, 1), up(100, 2)}));
  EXPECT_EQ(client.delivered, (std::vector<Packet>{down6(200, 3), down(200, 4)}));
}

TEST_F(Ipv6Sim, TellsASenderOfTheTunnelsMtu) {
  ASSERT_TRUE(connect());
  server.inject(down6(1400), world.now());
  ASSERT_EQ(server.delivered.size(), 1u);
  const auto error = wire::parse_ip_packet(server.delivered[0]);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->destination, kInternet6);
  EXPECT_EQ(error->protocol, wire::kProtocolIcmpv6);
  EXPECT_EQ(error->payload()[0], 2);  // Packet Too Big
  EXPECT_EQ(load_be<std::uint32_t>(&error->payload()[4]), 1350u);
  EXPECT_EQ(server.drops().value(Drop::kTooBig), 1u);
}

TEST_F(Ipv6Sim, DropsASpoofedSource) {
  ASSERT_TRUE(connect());
  for (const char* source : {"fd00:8::1", "fd00:8::3", "2001:db8::9", "::"}) {
    const Packet spoofed = udp_packet(*IpAddress::parse(source), kInternet6, 100);
    const auto before = server.drops().value(Drop::kSpoofedSource);
    client.inject(spoofed, world.now());
    send_unchecked(spoofed);
    EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), before + 1) << source;
  }
  // Those that it sent itself, and the server's answers to hosts that it is not.
  EXPECT_EQ(client.drops().value(Drop::kSpoofedSource), 4u + 3u);
  EXPECT_TRUE(server.delivered.empty());
}

// ::ffff:10.8.0.2 is no address of a packet, and above all not 10.8.0.2.
TEST_F(Ipv6Sim, TakesNoMappedAddressForALease) {
  ASSERT_TRUE(connect());
  Packet mapped = up6(100);
  std::fill_n(&mapped[8], 10, std::uint8_t{0});
  mapped[18] = mapped[19] = 0xff;
  append(MutableBytes(mapped).subspan(20), lease().bytes());
  send_unchecked(mapped);
  EXPECT_EQ(server.drops().value(Drop::kMalformed), 1u);

  Packet to_mapped = up6(1400);  // too big: whoever is answered is answered in one kind
  std::copy_n(&mapped[8], 16, &to_mapped[24]);
  client.inject(to_mapped, world.now());
  EXPECT_EQ(client.drops().value(Drop::kMalformed), 1u);
  EXPECT_TRUE(client.delivered.empty());
}

TEST_F(Ipv6Sim, KeepsWhatIsForNeighboursOutOfTheTunnel) {
  ASSERT_TRUE(connect());
  const IpAddress all_routers = *IpAddress::parse("ff02::2");
  const IpAddress neighbour = *IpAddress::parse("fe80::1");
  client.inject(udp_packet(neighbour, all_routers, 100), world.now());
  server.inject(udp_packet(kIpv6Pool.gateway, all_routers, 100), world.now());
  send_unchecked(udp_packet(lease6(), all_routers, 100));
  send_unchecked(udp_packet(lease6(), neighbour, 100));
  EXPECT_EQ(client.drops().value(Drop::kLinkLocal), 1u);
  EXPECT_EQ(server.drops().value(Drop::kLinkLocal), 3u);
  EXPECT_TRUE(server.delivered.empty());
  EXPECT_TRUE(client.delivered.empty()) << "and nobody is told";
}

TEST_F(Ipv6Sim, ForgetsBothAddressesWithTheSession) {
  ASSERT_TRUE(connect());
  const IpAddress lease6 = Ipv6Sim::lease6();
  EXPECT_NE(server.tunnel().sessions().find(lease6), nullptr);
  EXPECT_EQ(server.leases.owner(lease6), 0u);
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  EXPECT_EQ(server.tunnel().sessions().find(lease6), nullptr);
  EXPECT_FALSE(server.leases.owner(lease6));
}

// --- who has no IPv6 ---

class NoIpv6AtTheServer : public Ipv6Sim {
 protected:
  NoIpv6AtTheServer() : Ipv6Sim({}) {}
};

TEST_F(NoIpv6AtTheServer, MeansNone) {
  ASSERT_TRUE(connect());
  EXPECT_FALSE(client.response->caps.ipv6);
  EXPECT_FALSE(client.response->ipv6);
  client.inject(udp_packet(*IpAddress::parse("fd00:8::2"), kInternet6, 100), world.now());
  EXPECT_EQ(client.drops().value(Drop::kSpoofedSource), 1u);
  ASSERT_EQ(client.delivered.size(), 1u);
  const auto error = wire::parse_ip_packet(client.delivered.back());
  EXPECT_EQ(load_be<std::uint16_t>(error->payload().data()), 0x0100) << "no route to destination";
}

class NoIpv6AtTheClient : public Ipv6Sim {
 protected:
  NoIpv6AtTheClient() : Ipv6Sim({.ipv6 = kIpv6Pool}, {.caps = {.close = true}}) {}
};

TEST_F(NoIpv6AtTheClient, MeansNone) {
  ASSERT_TRUE(connect());
  EXPECT_FALSE(client.response->ipv6);
  send_unchecked(udp_packet(*IpAddress::parse("fd00:8::2"), kInternet6, 100));
  EXPECT_EQ(server.drops().value(Drop::kSpoofedSource), 1u);
  server.inject(udp_packet(kInternet6, *IpAddress::parse("fd00:8::2"), 100), world.now());
  EXPECT_EQ(server.drops().value(Drop::kNoSession), 1u);
}

class SmallMtuSim : public Ipv6Sim {
 protected:
  SmallMtuSim() : Ipv6Sim({.ipv6 = kIpv6Pool}, {.mtu = 1279}) {}
};

TEST_F(SmallMtuSim, HasNoRoomForIpv6) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->mtu, 1279u);
  EXPECT_FALSE(client.response->ipv6);
}

}  // namespace
}  // namespace qdt::testing
