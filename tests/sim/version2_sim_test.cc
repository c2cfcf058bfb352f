// Sessions of version 2, end to end (docs/protocol.md).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sim/direct_sim.h"
#include "sim/tunnel_sim.h"
#include "wire/ip_ranges.h"

namespace qdt::testing {
namespace {

using ::testing::HasSubstr;

const wire::Ed25519Seed kIdentity{42};
const wire::Ed25519Seed kDevice{7};

wire::Ed25519PublicKey public_key(const wire::Ed25519Seed& seed) {
  return wire::Ed25519Key(seed).public_key();
}

client::Identity device_identity() {
  return {.seed = kDevice, .server_keys = {public_key(kIdentity)}};
}

class ManyClients : public TunnelSim {
 protected:
  using TunnelSim::TunnelSim;

  // A further client, at an address of its own.
  ClientNode& add(const client::Connector::Options& options) {
    nodes_.push_back(std::make_unique<ClientNode>(options, 3 + nodes_.size()));
    addresses_.push_back(
        {IpAddress::v4(0xc6336410 + static_cast<std::uint32_t>(nodes_.size())), 40000});
    world.attach(addresses_.back(), *nodes_.back(), {.delay = 10ms});
    return *nodes_.back();
  }
  bool connect_last() { return connect(*nodes_.back(), addresses_.back()); }
  using TunnelSim::connect;
  const SocketAddress& last_address() const { return addresses_.back(); }
  // How an attempt of a client with these options ends; "" when it gets a session.
  std::string ending_of(const client::Connector::Options& options) {
    const ClientNode& node = add(options);
    if (connect_last()) return "";
    return node.ending ? node.ending->text : "nothing came of it";
  }

 private:
  std::vector<std::unique_ptr<ClientNode>> nodes_;
  std::vector<SocketAddress> addresses_;
};

// A server that speaks both versions and knows a token and a device, and clients of any kind.
class Version2 : public ManyClients {
 protected:
  explicit Version2(ServerNodeOptions options = {.identity = kIdentity},
                    const client::Connector::Options& client_options = {.auth = Auth::kProof})
      : ManyClients(with_device(std::move(options)), client_options) {}

  static ServerNodeOptions with_device(ServerNodeOptions options) {
    options.admission.devices = {{.name = "phone", .key = public_key(kDevice)}};
    return options;
  }
  // Whether packets of several sizes arrive each way.
  ::testing::AssertionResult carries_packets(TunnelNode& node, const IpAddress& address) {
    for (const std::size_t bytes : {60, 1000, 1300}) {
      node.delivered.clear();
      server.delivered.clear();
      node.inject(udp_packet(address, kInternet, bytes, 1), world.now());
      server.inject(udp_packet(kInternet, address, bytes, 2), world.now());
      world.run_for(200ms);
      const bool is_up =
          server.delivered == std::vector<Packet>{udp_packet(address, kInternet, bytes, 1)};
      const bool is_down =
          node.delivered == std::vector<Packet>{udp_packet(kInternet, address, bytes, 2)};
      if (!is_up || !is_down) {
        return ::testing::AssertionFailure()
               << bytes << " bytes: " << (is_up ? "" : "none up ") << (is_down ? "" : "none down");
      }
    }
    return ::testing::AssertionSuccess();
  }
};

TEST_F(Version2, CarriesPacketsByTheTokenThatStaysWhereItIs) {
  ASSERT_TRUE(connect());
  EXPECT_TRUE(carries_packets(client, lease()));
  EXPECT_EQ(client.response->cidr.to_string(), "10.8.0.0/24");
  EXPECT_EQ(client.response->gateway_ip.to_string(), "10.8.0.1");
  EXPECT_EQ(client.session().id(), (*server.tunnel().sessions().begin())->id());
}

TEST_F(Version2, CarriesPacketsByADevicesKey) {
  ClientNode& phone = add({.auth = Auth::kProof, .identity = device_identity()});
  ASSERT_TRUE(connect_last()) << phone.ending->text;
  EXPECT_TRUE(carries_packets(phone, phone.response->client_ip));
}

// TLS, then one round trip: as version 1.
TEST_F(Version2, ConnectsInOneRoundTripMoreThanTls) {
  const Timestamp begin = world.now();
  ASSERT_TRUE(connect());
  EXPECT_LE(world.now() - begin, 2 * 40ms + 20ms);  // 20 ms each way; and processing
}

TEST_F(Version2, TellsAServerOfAnotherKeyFromTheRightOne) {
  client::Identity identity = device_identity();
  identity.server_keys = {public_key({43})};
  EXPECT_THAT(ending_of({.auth = Auth::kProof, .identity = identity}),
              HasSubstr("not who it should be"));
  identity.server_keys = {public_key({43}), public_key(kIdentity)};
  EXPECT_EQ(ending_of({.auth = Auth::kProof, .identity = identity}), "");
}

TEST_F(Version2, AdmitsNobodyElse) {
  EXPECT_THAT(ending_of({.token = "guess", .auth = Auth::kProof}), HasSubstr("unauthorized"));
  client::Identity stranger = device_identity();
  stranger.seed = {8};
  EXPECT_THAT(ending_of({.auth = Auth::kProof, .identity = stranger}), HasSubstr("unauthorized"));
  EXPECT_THAT(ending_of({.token = "guess", .auth = Auth::kToken}), HasSubstr("unauthorized"));
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(Version2, SpeaksVersion1WithItsPeers) {
  EXPECT_EQ(ending_of({.auth = Auth::kToken}), "");
}

TEST_F(Version2, IsPreferred) {
  ClientNode& both = add({.auth = Auth::kAuto});
  ASSERT_TRUE(connect_last());
  // Version 1's datagrams have 38 bytes more than version 2's one.
  EXPECT_GT(both.session().whole_packet_bytes() + 8, 1200u - 38);
  EXPECT_TRUE(carries_packets(both, both.response->client_ip));
}

TEST_F(Version2, EndsWhenTheClientEndsTheStream) {
  ASSERT_TRUE(connect());
  connection_of(client.session()).finish(0);
  ASSERT_TRUE(world.run_until([&] { return server.tunnel().sessions().size() == 0; }, 2s));
  EXPECT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 2s));
}

TEST_F(Version2, EndsAtACapsuleThatBreaksTheRules) {
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connection_of(client.session()).send(0, {2, 2, 0xff, 0xff}));
  ASSERT_TRUE(world.run_until([&] { return server.tunnel().sessions().size() == 0; }, 2s));
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(Version2, EndsWithAnErrorAtACapsuleThatIsCutShort) {
  ASSERT_TRUE(connect());
  quic::Connection& connection = connection_of(client.session());
  ASSERT_TRUE(connection.send(0, {2, 20, 1}));
  connection.finish(0);
  ASSERT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 2s));
  EXPECT_THAT(client.ending->text, HasSubstr("malformed capsule"));
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(Version2, EndsAtAServerThatCutsACapsuleShort) {
  ASSERT_TRUE(connect());
  quic::Connection& connection = connection_of(**server.tunnel().sessions().begin());
  ASSERT_TRUE(connection.send(0, {1, 20, 1}));
  connection.finish(0);
  ASSERT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 2s));
  EXPECT_THAT(client.ending->text, HasSubstr("inside a capsule"));
  EXPECT_TRUE(world.run_until([&] { return server.admission.sessions() == 0; }, 2s));
}

TEST_F(Version2, EndsAtAServerThatChangesTheLease) {
  ASSERT_TRUE(connect());
  quic::Connection& connection = connection_of(**server.tunnel().sessions().begin());
  const wire::CapsuleAddress other{.prefix = *Prefix::parse("10.8.0.77/32")};
  std::vector<std::uint8_t> capsule;
  wire::append_capsule(capsule, wire::capsule::kAddressAssign, wire::write_addresses({&other, 1}));
  ASSERT_TRUE(connection.send(0, capsule));
  ASSERT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 2s));
  EXPECT_THAT(client.ending->text, HasSubstr("changed this client's addresses"));
}

TEST_F(Version2, TellsOfOtherRoutesOnceASecondAtMost) {
  ASSERT_TRUE(connect());
  quic::Connection& connection = connection_of(**server.tunnel().sessions().begin());
  for (std::uint32_t i = 0; i < 50; ++i) {
    const Prefix route(IpAddress::v4(0x0a140000 + (i << 8)), 24);
    std::vector<std::uint8_t> capsule;
    wire::append_capsule(capsule, wire::capsule::kRouteAdvertisement,
                         wire::write_routes(wire::ranges_of({&route, 1})));
    ASSERT_TRUE(connection.send(0, capsule));
    world.run_for(100ms);
  }
  world.run_for(2s);
  ASSERT_EQ(client.response->routes.size(), 1u);
  EXPECT_EQ(client.response->routes[0].to_string(), "10.20.49.0/24");
  EXPECT_EQ(client.response->client_ip, lease());
  EXPECT_LE(client.route_changes, 7);
  EXPECT_TRUE(carries_packets(client, lease()));
}

TEST_F(Version2, SendsNoFasterThanItIsAskedTo) {
  constexpr std::size_t kBytes = 300;
  constexpr std::uint64_t kRate = 1'200'000;
  ASSERT_TRUE(connect());
  const auto ask = [&](std::uint64_t bits_per_second) {
    std::vector<std::uint8_t> capsule;
    wire::append_capsule(capsule, wire::capsule::kSendRate, wire::write_send_rate(bits_per_second));
    ASSERT_TRUE(connection_of(**server.tunnel().sessions().begin()).send(0, capsule));
    world.run_for(1s);
  };
  // Twice as much as the rate allows, for two seconds.
  const auto arrived = [&] {
    const std::size_t before = server.delivered.size();
    for (int i = 0; i < 2000; ++i) {
      client.inject(udp_packet(lease(), kInternet, kBytes), world.now());
      world.run_for(1ms);
    }
    return server.delivered.size() - before;
  };
  ask(kRate);
  EXPECT_NEAR(static_cast<double>(arrived()), 2. * kRate / 8 / kBytes, 50);
  ask(0);
  EXPECT_GE(arrived(), 1900u);
  ask(1);
  EXPECT_LE(arrived(), 1500u);  // what waited has gone before
  EXPECT_LE(arrived(), 10u);
  ask(wire::kMaxVarint);
  EXPECT_GE(arrived(), 1900u);
}

TEST_F(Version2, LivesThroughCapsulesOfOthers) {
  ASSERT_TRUE(connect());
  std::vector<std::uint8_t> capsule;
  wire::append_capsule(capsule, 0x17f7, std::vector<std::uint8_t>(30000, 1));
  ASSERT_TRUE(connection_of(client.session()).send(0, capsule));
  world.run_for(1s);
  EXPECT_TRUE(carries_packets(client, lease()));
}

TEST_F(Version2, TakesPacketsInDatagramCapsules) {
  ASSERT_TRUE(connect());
  const Packet packet = udp_packet(lease(), kInternet, 100, 1);
  std::vector<std::uint8_t> datagram = {0};  // the context of packets
  datagram.insert(datagram.end(), packet.begin(), packet.end());
  std::vector<std::uint8_t> capsule;
  wire::append_capsule(capsule, wire::capsule::kDatagram, datagram);
  ASSERT_TRUE(connection_of(client.session()).send(0, capsule));
  world.run_for(1s);
  EXPECT_EQ(server.delivered, std::vector<Packet>{packet});
}

// The session, its connection and what reads its stream go while more of the stream is there.
TEST_F(Version2, EndsAtACloseInADatagramCapsule) {
  ASSERT_TRUE(connect());
  std::vector<std::uint8_t> capsules;
  wire::append_capsule(capsules, wire::capsule::kDatagram, std::array<std::uint8_t, 3>{4, 4, 0});
  wire::append_capsule(capsules, wire::capsule::kDatagram, std::array<std::uint8_t, 3>{4, 4, 0});
  ASSERT_TRUE(connection_of(client.session()).send(0, capsules));
  ASSERT_TRUE(world.run_until([&] { return server.tunnel().sessions().size() == 0; }, 2s));
  EXPECT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 2s));
}

// A lease goes to the device that had it, and to nobody else who shows its resume token.
class Version2Resume : public Version2 {
 protected:
  Version2Resume() : Version2({.caps = caps(), .identity = kIdentity}) {}
  static wire::Capabilities caps() {
    auto caps = wire::Capabilities::supported();
    caps.resume = true;
    return caps;
  }
};

TEST_F(Version2Resume, GetsItsAddressAgain) {
  const client::Connector::Options options{
      .auth = Auth::kProof, .identity = device_identity(), .caps = caps()};
  ClientNode& phone = add(options);
  ASSERT_TRUE(connect_last());
  const auto before = phone.response;
  ASSERT_FALSE(before->resume_token.empty());
  phone.connector.abandon(phone.tunnel(), world.now());
  world.run_for(1s);
  phone.response.reset();
  phone.connector.connect(phone.tunnel(), {last_address(), kServerAddress}, 9, world.now(),
                          before->resume_token);
  ASSERT_TRUE(world.run_until([&] { return phone.response.has_value(); }, 20s));
  EXPECT_EQ(phone.response->client_ip, before->client_ip);
}

class Version2Ipv6 : public Version2 {
 protected:
  Version2Ipv6() : Version2({.ipv6 = kIpv6Pool, .identity = kIdentity}) {}
};

TEST_F(Version2Ipv6, LendsAnIpv6AddressByCapsule) {
  ASSERT_TRUE(connect());
  ASSERT_TRUE(client.response->ipv6);
  EXPECT_EQ(client.response->ipv6->cidr.to_string(), "fd00:8::/64");
  client.inject(udp_packet(lease6(), kInternet6, 1000, 1), world.now());
  world.run_for(200ms);
  EXPECT_EQ(server.delivered.size(), 1u);
}

// --- the direct plane, and packets that are sealed once more ---

class Version2Direct : public Version2 {
 protected:
  Version2Direct()
      : Version2({.caps = caps(), .identity = kIdentity}, {.auth = Auth::kProof, .caps = caps()}) {}
  static wire::Capabilities caps() {
    auto caps = wire::Capabilities::supported();
    caps.direct = caps.shared_id = true;
    return caps;
  }
};

TEST_F(Version2Direct, SendsPacketsBesideQuic) {
  ASSERT_TRUE(connect());
  ASSERT_TRUE(world.run_until([&] { return client.session().direct()->is_usable(); }, 5s));
  EXPECT_TRUE(carries_packets(client, lease()));
}

class Version2Psk : public Version2Resume {
 protected:
  Version2Psk() { use_device_with_psk(); }
  void use_device_with_psk() {
    const access::UserTable::Entry entry{
        .name = "",
        .token = "",
        .devices = {{.name = "phone", .key = public_key(kDevice), .psk = wire::PresharedKey{5}}}};
    server.service.use_users(*access::UserTable::create({&entry, 1}, {7}));
  }
  static client::Identity identity(std::uint8_t psk) {
    client::Identity identity = device_identity();
    identity.psk = wire::PresharedKey{psk};
    identity.needs_sealed = true;
    return identity;
  }
};

TEST_F(Version2Psk, SealsPacketsOnceMore) {
  ClientNode& phone = add({.auth = Auth::kProof, .identity = identity(5)});
  ASSERT_TRUE(connect_last()) << phone.ending->text;
  EXPECT_TRUE(carries_packets(phone, phone.response->client_ip));
}

TEST_F(Version2Psk, OpensNothingThatWasSealedWithAnother) {
  ClientNode& phone = add({.auth = Auth::kProof, .identity = identity(6)});
  ASSERT_TRUE(connect_last());
  EXPECT_FALSE(carries_packets(phone, phone.response->client_ip));
  EXPECT_TRUE(server.delivered.empty() && phone.delivered.empty());
}

TEST_F(Version2Psk, RefusesADeviceThatDoesNotSeal) {
  EXPECT_THAT(ending_of({.auth = Auth::kProof, .identity = device_identity()}),
              HasSubstr("bad request"));
  EXPECT_EQ(server.admission.sessions(), 0u);
  EXPECT_EQ(server.leases.lent(), 0u);
}

// Somebody else would get the lease beside it, and hear and speak as it does.
TEST_F(Version2Psk, LeavesASessionItsLeaseWhenItRefusesOneInItsPlace) {
  const ClientNode& phone = add({.auth = Auth::kProof, .identity = identity(5), .caps = caps()});
  ASSERT_TRUE(connect_last());
  ClientNode& other = add({.auth = Auth::kProof, .identity = device_identity(), .caps = caps()});
  other.connector.connect(other.tunnel(), {last_address(), kServerAddress}, 9, world.now(),
                          phone.response->resume_token);
  ASSERT_TRUE(world.run_until([&] { return other.ending.has_value(); }, 20s));
  EXPECT_EQ(server.tunnel().sessions().size(), 1u);
  EXPECT_TRUE(server.book.is_in_use(phone.response->resume_token));
}

TEST_F(Version2, RefusesAClientWithAPskThatItDoesNotKnow) {
  client::Identity identity = device_identity();
  identity.psk = wire::PresharedKey{5};
  identity.needs_sealed = true;
  EXPECT_THAT(ending_of({.auth = Auth::kProof, .identity = identity}),
              HasSubstr("does not seal packets"));
}

// --- the MTU ---

// Both sides with `mtu: auto`, with the direct plane or without it.
class Version2AutoMtu : public Version2, public ::testing::WithParamInterface<bool> {
 protected:
  Version2AutoMtu()
      : Version2({.mtu = tunnel::kLargestTunnelMtu,
                  .version1_mtu = tunnel::kLargestVersion1Mtu,
                  .caps = caps(),
                  .identity = kIdentity},
                 of_client(Auth::kProof)) {}

  static wire::Capabilities caps() {
    return GetParam() ? with_direct() : wire::Capabilities::supported();
  }
  static client::Connector::Options of_client(Auth auth) {
    return {.auth = auth,
            .mtu = tunnel::kLargestTunnelMtu,
            .version1_mtu = tunnel::kLargestVersion1Mtu,
            .caps = caps()};
  }
  // How many large payloads `from` sends while `send` sends a packet and it arrives.
  template <typename Send>
  int large_payloads(const SocketAddress& from, Send&& send) {
    int count = 0;
    world.set_link(from, {.delay = 10ms, .passes = [&count](Bytes payload) {
                            count += payload.size() > 500;
                            return true;
                          }});
    send();
    world.run_for(100ms);
    world.set_link(from, {.delay = 10ms});
    return count;
  }
};

INSTANTIATE_TEST_SUITE_P(Planes, Version2AutoMtu, ::testing::Bool(),
                         [](const auto& plane) { return plane.param ? "Direct" : "Quic"; });

// 1500 bytes less IP, UDP, QUIC and a datagram's two bytes: 37 more than in version 1. The direct
// plane takes 5 less, so it has room for as many.
TEST_P(Version2AutoMtu, UsesAllThatADatagramCarries) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->mtu, 1438u);
  world.run_for(8s);
  const tunnel::Session& servers = *server.tunnel().sessions().find(lease());
  EXPECT_EQ(client.session().tunnel_mtu(), 1438u);
  EXPECT_EQ(servers.tunnel_mtu(), 1438u);
  ASSERT_EQ(GetParam(), client.session().direct() != nullptr && servers.direct()->is_usable());
  const auto inject_up = [&] { client.inject(up(1438), world.now()); };
  EXPECT_EQ(large_payloads(kClientAddress, inject_up), 1);
  EXPECT_EQ(server.delivered, std::vector<Packet>{up(1438)});
  const auto inject_down = [&] { server.inject(down(1438), world.now()); };
  EXPECT_EQ(large_payloads(kServerAddress, inject_down), 1);
  EXPECT_EQ(client.delivered, std::vector<Packet>{down(1438)});
}

TEST_P(Version2AutoMtu, AsksForWhatVersion1CarriesThere) {
  ClientNode& old = add(of_client(Auth::kToken));
  ASSERT_TRUE(connect_last());
  EXPECT_EQ(old.response->mtu, 1401u);
  client::Connector::Options of_others = of_client(Auth::kToken);
  of_others.version1_mtu = kMaxPacketBytes;
  ClientNode& others = add(of_others);
  ASSERT_TRUE(connect_last());
  EXPECT_EQ(others.response->mtu, 1401u) << "the server's word";
}

// --- which version is used ---

class OldServer : public ManyClients {
 protected:
  OldServer() : ManyClients({}, {.auth = Auth::kAuto}) {}
};

TEST_F(OldServer, IsSpokenToByVersion1) {
  ASSERT_TRUE(connect());
}

TEST_F(OldServer, GetsNoTokenWithoutAKnownCertificate) {
  EXPECT_THAT(ending_of({.auth = Auth::kAuto, .knows_certificate = false}),
              HasSubstr("set tls_fingerprint"));
  EXPECT_EQ(server.admission.sessions(), 0u);
  EXPECT_EQ(ending_of({.auth = Auth::kToken, .knows_certificate = false}), "");
}

TEST_F(OldServer, IsNotForKeysAndProofs) {
  EXPECT_THAT(ending_of({.auth = Auth::kProof}), HasSubstr("auth: proof"));
  EXPECT_THAT(ending_of({.auth = Auth::kAuto, .identity = device_identity()}), HasSubstr("key"));
}

// As some HTTP/3 libraries do by themselves.
class OldServerThatAnnouncesConnect : public ManyClients {
 protected:
  OldServerThatAnnouncesConnect()
      : ManyClients({.announces_connect = true}, {.auth = Auth::kAuto}) {}
};

TEST_F(OldServerThatAnnouncesConnect, IsSpokenToByVersion1) {
  ASSERT_TRUE(connect());
  EXPECT_NE(ending_of({.auth = Auth::kAuto, .knows_certificate = false}), "");
  EXPECT_NE(ending_of({.auth = Auth::kProof}), "");
  EXPECT_NE(ending_of({.auth = Auth::kAuto, .identity = device_identity()}), "");
  EXPECT_EQ(server.admission.sessions(), 1u);
}

class NewServer : public Version2 {
 protected:
  NewServer() : Version2({.takes_version1 = false, .identity = kIdentity}) {}
};

TEST_F(NewServer, TakesNoToken) {
  EXPECT_NE(ending_of({.auth = Auth::kToken}), "");
  EXPECT_EQ(ending_of({.auth = Auth::kAuto}), "");
}

}  // namespace
}  // namespace qdt::testing
