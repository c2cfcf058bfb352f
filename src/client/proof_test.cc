#include "client/proof.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "wire/concealed_auth.h"
#include "wire/ip_ranges.h"
#include "wire/server_proof.h"

namespace qdt::client {
namespace {

wire::Exporter exporter(std::uint8_t connection = 1) {
  return wire::Exporter(std::array<std::uint8_t, 32>{connection});
}

const wire::SessionRequest kAsked{
    .nonce = {1, 2, 3}, .caps = {.ping = true, .fragment = true, .sealed = true}, .mtu = 1400};

// The answer of a server that has the key of `seed`, made for a connection and a request.
struct Server {
  wire::Ed25519Seed seed{};
  std::uint8_t connection = 1;
  wire::HandshakeNonce client_nonce = kAsked.nonce;
  wire::Ed25519PublicKey client_key{};
  wire::SessionCaps caps{.ping = true, .fragment = true};

  std::string field() const {
    const wire::Ed25519Key key(seed);
    wire::SessionAnswer answer{.nonce = {7}, .caps = caps, .mtu = 1300, .key = key.public_key()};
    wire::ServerProof proof{
        .client_nonce = client_nonce, .server_nonce = answer.nonce, .client_key = client_key};
    exporter(connection).derive(wire::kServerProofLabel, {}, proof.exported);
    answer.proof = wire::sign_server_proof(key, proof);
    return wire::write_session_field(answer);
  }
};

Server server_of(const Identity& identity, wire::Ed25519Seed seed) {
  return {.seed = seed, .client_key = wire::Ed25519Key(identity.seed).public_key()};
}

Identity pinning(wire::Ed25519Seed seed) {
  return {.seed = {5}, .server_keys = {wire::Ed25519Key(seed).public_key()}};
}

std::string error(const Identity& identity, const std::optional<std::string>& field) {
  const auto answer = believe(field, identity, exporter(), kAsked);
  return answer ? "" : answer.error().message;
}

TEST(Believe, BelievesTheServerWithTheKey) {
  const Identity identity = pinning({8});
  const auto answer = believe(server_of(identity, {8}).field(), identity, exporter(), kAsked);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->mtu, 1300u);
}

TEST(Believe, BelievesTheServerWithTheToken) {
  const Identity identity = identity_of("a token of sixteen");
  const wire::TokenKeys keys = wire::derive_token_keys("a token of sixteen");
  EXPECT_EQ(error(identity, server_of(identity, keys.server).field()), "");
  const wire::TokenKeys others = wire::derive_token_keys("another token");
  EXPECT_EQ(error(identity, server_of(identity, others.server).field()),
            "it proved to have another key than the server's");
  // Who has the token alone plays the client, not the server.
  EXPECT_NE(error(identity, server_of(identity, keys.client).field()), "");
}

TEST(Believe, RefusesProofsOfAnotherConnectionOrRequest) {
  const Identity identity = pinning({8});
  const std::string told = "its proof is not of this connection";
  Server server = server_of(identity, {8});
  server.connection = 2;
  EXPECT_EQ(error(identity, server.field()), told);
  server = server_of(identity, {8});
  server.client_nonce[0] ^= 1;
  EXPECT_EQ(error(identity, server.field()), told);
  server = server_of(identity, {8});
  server.client_key[0] ^= 1;
  EXPECT_EQ(error(identity, server.field()), told);
}

TEST(Believe, NeedsAProofWhereItKnowsAKey) {
  EXPECT_EQ(error(pinning({8}), std::nullopt), "it did not prove that it is the server");
  const wire::SessionAnswer bare{.nonce = {7}, .mtu = 1300, .key = {}};
  EXPECT_EQ(error(pinning({8}), wire::write_session_field(bare)),
            "it did not prove that it is the server");
  // With a verified certificate alone.
  EXPECT_EQ(error(Identity{.seed = {5}}, std::nullopt), "");
  EXPECT_EQ(error(Identity{.seed = {5}}, wire::write_session_field(bare)), "");
  EXPECT_NE(error(Identity{.seed = {5}}, "v=1"), "");
}

TEST(Believe, NeedsSealedPacketsWhereThereIsAPsk) {
  Identity identity = pinning({8});
  identity.psk = wire::PresharedKey{3};
  identity.needs_sealed = true;
  Server server = server_of(identity, {8});
  EXPECT_TRUE(error(identity, server.field()).starts_with("it does not seal packets"));
  server.caps.sealed = true;
  EXPECT_EQ(error(identity, server.field()), "");
}

TEST(Version2Request, NamesTheServerAsItWasDialled) {
  const Identity identity = identity_of("token");
  const auto request = version2_request(identity, {.host = "vpn.example", .port = 8443},
                                        wire::kDefaultTemplate, exporter(), kAsked);
  EXPECT_EQ(request.method, "CONNECT");
  EXPECT_EQ(request.protocol, "connect-ip");
  EXPECT_EQ(request.authority, "vpn.example:8443");
  EXPECT_EQ(request.path, "/.well-known/masque/ip/*/*/");
  ASSERT_EQ(request.headers.size(), 3u);
  EXPECT_EQ(request.headers[0].first, "capsule-protocol");
  // Nothing of the token is in it.
  for (const auto& [name, value] : request.headers) EXPECT_EQ(value.find("token"), value.npos);
}

// --- leases ---

Prefix lent(const char* prefix) {
  return *Prefix::parse(prefix);
}

wire::SessionAnswer answer_of_ours() {
  return {.nonce = {0, 0, 0, 0, 0, 0, 1, 2, 9},
          .mtu = 1400,
          .gateways = {*IpAddress::parse("10.8.0.1"), *IpAddress::parse("fd00:8::1")},
          .pools = {*Prefix::parse("10.8.0.0/24"), *Prefix::parse("fd00:8::/64")},
          .dns = {*IpAddress::parse("10.8.0.1"), *IpAddress::parse("fd00:8::1")},
          .key = {}};
}

std::vector<wire::IpRange> ranges(const std::vector<const char*>& prefixes) {
  std::vector<Prefix> parsed;
  for (const char* prefix : prefixes) parsed.push_back(*Prefix::parse(prefix));
  return wire::ranges_of(parsed);
}

TEST(LeaseOf, IsAsVersion1HasIt) {
  const auto lease = lease_of(answer_of_ours(), {lent("10.8.0.5/32"), lent("fd00:8::5/128")},
                              ranges({"0.0.0.0/0", "::/0"}));
  ASSERT_TRUE(lease) << lease.error().message;
  EXPECT_EQ(lease->session_id, 0x102u);
  EXPECT_EQ(lease->client_ip.to_string(), "10.8.0.5");
  EXPECT_EQ(lease->gateway_ip.to_string(), "10.8.0.1");
  EXPECT_EQ(lease->cidr.to_string(), "10.8.0.0/24");
  ASSERT_TRUE(lease->ipv6);
  EXPECT_EQ(lease->ipv6->cidr.to_string(), "fd00:8::/64");
  EXPECT_TRUE(lease->routes.empty());
  EXPECT_EQ(lease->dns.size(), 2u);
}

TEST(LeaseOf, TakesRoutesBeyondThePools) {
  const auto lease =
      lease_of(answer_of_ours(), {lent("10.8.0.5/32")},
               ranges({"10.8.0.0/24", "192.168.7.0/24", "172.16.0.0/12", "fd00:9::/64"}));
  ASSERT_TRUE(lease) << lease.error().message;
  std::string routes;
  for (const Prefix& route : lease->routes) routes += route.to_string() + " ";
  EXPECT_EQ(routes, "172.16.0.0/12 192.168.7.0/24 ");  // no IPv6 without a lease
  EXPECT_EQ(lease->dns.size(), 1u);
}

TEST(LeaseOf, ManagesWithAddressesAlone) {
  const wire::SessionAnswer plain{.mtu = 1400, .key = {}};
  const auto lease = lease_of(plain, {lent("192.0.2.7/32")}, {});
  ASSERT_TRUE(lease) << lease.error().message;
  EXPECT_EQ(lease->cidr.to_string(), "192.0.2.7/32");
  EXPECT_TRUE(lease->gateway_ip.is_unspecified());
  EXPECT_FALSE(lease->ipv6);
}

TEST(LeaseOf, RefusesWhatNoHostMayHave) {
  const auto fails = [](const std::vector<Prefix>& addresses) {
    return !lease_of(answer_of_ours(), addresses, {});
  };
  EXPECT_TRUE(fails({}));
  EXPECT_TRUE(fails({lent("0.0.0.0/32")}));
  EXPECT_TRUE(fails({lent("fd00:8::5/128")}));
  EXPECT_TRUE(fails({lent("127.0.0.1/32")}));
  EXPECT_TRUE(fails({lent("224.0.0.1/32")}));
  EXPECT_TRUE(fails({lent("10.8.0.1/32")}));  // the gateway's
  EXPECT_TRUE(fails({lent("10.8.0.5/32"), lent("fe80::1/128")}));
}

TEST(LeaseOf, BoundsTheRoutes) {
  std::vector<wire::IpRange> many;
  for (std::uint32_t i = 0; i < 100; ++i) {
    // 30 prefixes each
    many.push_back({.first = IpAddress::v4(0x0b000001 + (i << 16)),
                    .last = IpAddress::v4(0x0b00fffe + (i << 16))});
  }
  EXPECT_FALSE(lease_of(answer_of_ours(), {lent("10.8.0.5/32")}, many));
}

}  // namespace
}  // namespace qdt::client
