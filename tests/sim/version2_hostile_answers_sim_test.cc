// What a server may say to a client of version 2 that no server should: each ends the attempt or
// the session, nothing of it is applied, and the next server gets its client (docs/protocol.md
// sections 2 to 4, 7 and 9).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sim/hostile_bytes.h"
#include "sim/hostile_server.h"
#include "sim/tunnel_sim.h"

namespace qdt::testing {
namespace {

using ::testing::HasSubstr;

constexpr wire::Ed25519Seed kDevice{7};
constexpr wire::Ed25519Seed kStranger{9};

ServerNodeOptions server_options() {
  ServerNodeOptions options{.identity = HostileServer::kIdentity};
  options.admission.devices = {{.name = "phone", .key = public_key(kDevice)}};
  return options;
}

client::Connector::Options client_options() {
  client::Connector::Options options{
      .auth = Auth::kProof,
      .identity =
          client::Identity{.seed = kDevice, .server_keys = {public_key(HostileServer::kIdentity)}}};
  options.caps.direct = options.caps.resume = false;
  return options;
}

// A client on its way to a hostile server, and an honest one.
class HostileAnswer : public TunnelSim {
 protected:
  explicit HostileAnswer(const client::Connector::Options& options = client_options())
      : TunnelSim(server_options(), options), peer(world) {
    begin();
  }

  void begin() {
    peer.node.last_stream = -1;
    client.ending.reset();
    client.connect(kClientAddress, HostileServer::kAddress, world.now());
    peer.take_request();
  }
  void expect_nothing_is_applied() {
    EXPECT_FALSE(client.response);
    EXPECT_EQ(client.tunnel().sessions().size(), 0u);
    EXPECT_TRUE(client.delivered.empty());
  }
  void expect_the_end(std::string_view words) {
    ASSERT_TRUE(client.ending);
    EXPECT_THAT(client.ending->text, HasSubstr(words));
    EXPECT_EQ(client.tunnel().sessions().size(), 0u);
  }
  void expect_a_good_server_works() {
    client.ending.reset();
    client.response.reset();
    ASSERT_TRUE(connect()) << client.ending->text;
    client.inject(up(600, 1), world.now());
    world.run_for(200ms);
    EXPECT_EQ(server.delivered, std::vector<Packet>{up(600, 1)});
  }

  HostileServer peer;
};

// --- answers ---

using Peer = const HostileServer&;

struct BadAnswer {
  const char* name;
  const char* words;  // of what the client says
  quic::Response (*make)(Peer peer);
};

void PrintTo(const BadAnswer& row, std::ostream* out) {
  *out << row.name;
}

class Disbelieved : public HostileAnswer, public ::testing::WithParamInterface<BadAnswer> {};

// Right addresses and routes come with each.
TEST_P(Disbelieved, EndsTheAttempt) {
  peer.answer(GetParam().make(peer), HostileServer::right_capsules());
  expect_the_end(GetParam().words);
  expect_nothing_is_applied();
  expect_a_good_server_works();
}

wire::SessionAnswer with_proof(wire::SessionAnswer answer, const wire::Ed25519Signature& proof) {
  answer.proof = proof;
  return answer;
}

const BadAnswer kProofs[] = {
    {"NoField", "did not prove",
     [](Peer p) {
       quic::Response response = p.response("");
       response.headers.pop_back();
       return response;
     }},
    {"NeitherKeyNorProof", "did not prove",
     [](Peer p) {
       wire::SessionAnswer answer = p.right_answer();
       answer.key.reset();
       return p.response(answer);
     }},
    {"NoKey", "not who it should be", [](Peer p) { return p.response(p.field_without("key")); }},
    {"NoProof", "not who it should be",
     [](Peer p) { return p.response(p.field_without("proof")); }},
    {"KeyOfAnother", "another key",
     [](Peer p) { return p.response(p.signed_by(kStranger, p.right_answer())); }},
    {"KeyOfTheClient", "another key",
     [](Peer p) { return p.response(p.signed_by(kDevice, p.right_answer())); }},
    {"ProofOfAnother", "not of this connection",
     [](Peer p) {
       const auto proof = p.signed_by(kStranger, p.right_answer()).proof;
       return p.response(with_proof(p.right_answer(), proof));
     }},
    {"ProofOfTheClient", "not of this connection",
     [](Peer p) {
       const auto shown = wire::parse_concealed_auth(p.node.last_message.header("authorization"));
       return p.response(with_proof(p.right_answer(), shown->proof));
     }},
    {"ProofOfZeros", "not of this connection",
     [](Peer p) { return p.response(with_proof(p.right_answer(), {})); }},
    {"WrongProof", "not of this connection",
     [](Peer p) {
       auto answer = p.right_answer();
       answer.proof[0] ^= 1;
       return p.response(answer);
     }},
    {"ProofOfAnotherConnection", "not of this connection",
     [](Peer p) {
       return p.response(p.signed_by(HostileServer::kIdentity, p.right_answer(),
                                     [](wire::ServerProof& over) { over.exported[0] ^= 1; }));
     }},
    {"ProofOfAnotherRequest", "not of this connection",
     [](Peer p) {
       return p.response(p.signed_by(HostileServer::kIdentity, p.right_answer(),
                                     [](wire::ServerProof& over) { over.client_nonce[0] ^= 1; }));
     }},
    {"ProofOfAnotherAnswer", "not of this connection",
     [](Peer p) {
       return p.response(p.signed_by(HostileServer::kIdentity, p.right_answer(),
                                     [](wire::ServerProof& over) { over.server_nonce[0] ^= 1; }));
     }},
    {"ProofForAnotherClient", "not of this connection",
     [](Peer p) {
       return p.response(p.signed_by(HostileServer::kIdentity, p.right_answer(),
                                     [](wire::ServerProof& over) { over.client_key[0] ^= 1; }));
     }},
    {"ProofForAClientWithoutAKey", "not of this connection",
     [](Peer p) {
       return p.response(p.signed_by(HostileServer::kIdentity, p.right_answer(),
                                     [](wire::ServerProof& over) { over.client_key = {}; }));
     }},
    {"ProofThatIsCut", "proof",
     [](Peer p) { return p.response(p.field_without("proof") + ", proof=:AAAA:"); }},
    {"KeyThatIsCut", "key",
     [](Peer p) { return p.response(p.field_without("key") + ", key=:AAAA:"); }},
    {"KeyAsAString", "key",
     [](Peer p) { return p.response(p.field_without("key") + ", key=\"AAAA\""); }},
};
INSTANTIATE_TEST_SUITE_P(Proofs, Disbelieved, ::testing::ValuesIn(kProofs), name_of<BadAnswer>);

std::string list_of(int count, std::string_view item) {
  std::string list = "(";
  for (int i = 0; i < count; ++i) list += (i > 0 ? " \"" : "\"") + std::string(item) + "\"";
  return list + ")";
}

const BadAnswer kFields[] = {
    {"EmptyQdt", "in v", [](Peer p) { return p.response(""); }},
    {"NoVersion", "in v", [](Peer p) { return p.response(p.field_without("v")); }},
    {"Version1", "in v", [](Peer p) { return p.response(p.field_with("v=2", "v=1")); }},
    {"VersionAsAString", "in v", [](Peer p) { return p.response(p.field_with("v=2", "v=\"2\"")); }},
    {"KeyTwice", "no dictionary", [](Peer p) { return p.response(p.field_and(", v=2")); }},
    {"KeyTwiceInTwoLines", "no dictionary",
     [](Peer p) {
       quic::Response response = p.response(p.right_answer());
       response.headers.emplace_back("qdt", "v=2");
       return response;
     }},
    {"NoNonce", "in nonce", [](Peer p) { return p.response(p.field_without("nonce")); }},
    {"NonceOf3Bytes", "in nonce",
     [](Peer p) { return p.response(p.field_without("nonce") + ", nonce=:AAAA:"); }},
    {"CapsAsAToken", "in caps",
     [](Peer p) { return p.response(p.field_without("caps") + ", caps=ping"); }},
    {"CapsAsStrings", "in caps",
     [](Peer p) { return p.response(p.field_without("caps") + ", caps=(\"ping\")"); }},
    {"MtuBelowItsBound", "in mtu",
     [](Peer p) { return p.response(p.field_with("mtu=1350", "mtu=575")); }},
    {"MtuAboveItsBound", "in mtu",
     [](Peer p) { return p.response(p.field_with("mtu=1350", "mtu=65536")); }},
    {"MtuAsADecimal", "in mtu",
     [](Peer p) { return p.response(p.field_with("mtu=1350", "mtu=1350.5")); }},
    {"GatewayOfThisHost", "in gateway",
     [](Peer p) { return p.response(p.field_with("10.8.0.1\"", "127.0.0.1\"")); }},
    {"GatewayThatIsNoAddress", "in gateway",
     [](Peer p) { return p.response(p.field_with("10.8.0.1\"", "gateway\"")); }},
    {"TwoGatewaysOfOneKind", "in gateway",
     [](Peer p) { return p.response(p.field_with("10.8.0.1\"", "10.8.0.1\" \"10.8.0.3\"")); }},
    {"PoolOfEverything", "in pool",
     [](Peer p) { return p.response(p.field_with("10.8.0.0/24", "0.0.0.0/0")); }},
    {"PoolThatIsNoPrefix", "in pool",
     [](Peer p) { return p.response(p.field_with("10.8.0.0/24", "10.8.0.0/33")); }},
    {"TwoPoolsOfOneKind", "in pool",
     [](Peer p) {
       return p.response(p.field_with("10.8.0.0/24\"", "10.8.0.0/24\" \"10.9.0.0/24\""));
     }},
    {"NameServerOfAGroup", "in dns",
     [](Peer p) { return p.response(p.field_with("1.1.1.1", "224.0.0.1")); }},
    {"NameServerOfNoHost", "in dns",
     [](Peer p) { return p.response(p.field_with("1.1.1.1", "0.0.0.0")); }},
    {"SeventeenNameServers", "in dns",
     [](Peer p) { return p.response(p.field_without("dns") + ", dns=" + list_of(17, "1.1.1.1")); }},
    {"DomainWithASpace", "in domains",
     [](Peer p) { return p.response(p.field_and(", domains=(\"a b\")")); }},
    {"DomainThatIsAPath", "in domains",
     [](Peer p) { return p.response(p.field_and(", domains=(\"../etc\")")); }},
    {"ThirtyThreeDomains", "in domains",
     [](Peer p) { return p.response(p.field_and(", domains=" + list_of(33, "a.example"))); }},
    {"LongerThanItsBound", "no dictionary",
     [](Peer p) { return p.response(p.field_and(", x=\"" + std::string(4100, 'x') + "\"")); }},
    {"ListWithoutAnEnd", "no dictionary", [](Peer p) { return p.response(p.field_and(", x=(1")); }},
};
INSTANTIATE_TEST_SUITE_P(Fields, Disbelieved, ::testing::ValuesIn(kFields), name_of<BadAnswer>);

const BadAnswer kStatuses[] = {
    {"NotFound", "status 404", [](Peer) { return quic::Response{.status = 404}; }},
    {"Moved", "status 301", [](Peer) { return quic::Response{.status = 301}; }},
    {"Unauthorized", "unauthorized",
     [](Peer) { return quic::Response{.status = 401, .body = "unauthorized"}; }},
    {"WordsWithAnEscape", "status 403",
     [](Peer) { return quic::Response{.status = 403, .body = "\x1b[2J"}; }},
    {"NoSessionBehindIt", "without a session",
     [](Peer p) {
       quic::Response response = p.response(p.right_answer());
       response.keeps_stream_open = false;
       return response;
     }},
};
INSTANTIATE_TEST_SUITE_P(Statuses, Disbelieved, ::testing::ValuesIn(kStatuses), name_of<BadAnswer>);

TEST_F(HostileAnswer, ThatIsCutAnywhereIsNotBelieved) {
  // What is required comes last.
  const std::size_t size = (peer.field_without("v") + ", v=2").size();
  for (std::size_t bytes = 0; bytes < size; ++bytes) {
    const std::string whole = peer.field_without("v") + ", v=2";
    ASSERT_EQ(whole.size(), size);
    peer.answer(HostileServer::response(whole.substr(0, bytes)), HostileServer::right_capsules());
    ASSERT_TRUE(client.ending) << whole.substr(0, bytes);
    expect_the_end("not who it should be");
    expect_nothing_is_applied();
    begin();
  }
  peer.answer(HostileServer::response(peer.field_without("v") + ", v=2"),
              HostileServer::right_capsules());
  EXPECT_TRUE(client.response);
}

// --- capsules ---

class Unusable : public HostileAnswer, public ::testing::WithParamInterface<BadCapsules> {};

TEST_P(Unusable, EndsTheAttempt) {
  peer.answer(peer.response(peer.right_answer()), GetParam().bytes);
  expect_the_end(GetParam().words);
  expect_nothing_is_applied();
  expect_a_good_server_works();
}

Octets assign(std::string_view prefix) {
  return HostileServer::assign({*Prefix::parse(std::string(prefix))});
}

Octets routes(int count) {
  Octets value;
  for (int i = 0; i < count; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8);
    const auto low = static_cast<std::uint8_t>(i);
    const Octets range = {4, 100, high, low, 1, 100, high, low, 1, 0};
    value.insert(value.end(), range.begin(), range.end());
  }
  return HostileServer::capsule(wire::capsule::kRouteAdvertisement, value);
}

// Behind the routes of everything: whoever takes the addresses has all that he needs.
Octets assigned(const std::vector<const char*>& prefixes) {
  std::vector<Prefix> parsed;
  for (const char* prefix : prefixes) parsed.push_back(*Prefix::parse(prefix));
  return HostileServer::routes() + HostileServer::assign(parsed);
}

const BadCapsules kUnusable[] = {
    {"NoAddress", "no IPv4 address", assigned({})},
    {"Ipv6Alone", "no IPv4 address", assigned({"fd00:8::2/128"})},
    {"RefusalAlone", "no IPv4 address", assigned({"0.0.0.0/32"})},
    {"AddressOfThisHost", "unusable address, 127.0.0.1", assigned({"127.0.0.1/32"})},
    {"AddressOfAGroup", "unusable address, 224.0.0.1", assigned({"224.0.0.1/32"})},
    {"AddressOfTheGateway", "its own address", assigned({"10.8.0.1/32"})},
    {"Ipv6AddressOfThisHost", "unusable address, ::1", assigned({"10.8.0.2/32", "::1/128"})},
    {"Ipv6AddressOfALink", "unusable address, fe80::1", assigned({"10.8.0.2/32", "fe80::1/128"})},
    {"Ipv6AddressOfAGroup", "unusable address, ff02::1", assigned({"10.8.0.2/32", "ff02::1/128"})},
    {"MoreThan1024Routes", "1024 routes", assign("10.8.0.2/32") + routes(1025)},
};
INSTANTIATE_TEST_SUITE_P(Addresses, Unusable, ::testing::ValuesIn(kUnusable), name_of<BadCapsules>);

INSTANTIATE_TEST_SUITE_P(Malformed, Unusable, ::testing::ValuesIn(kMalformedCapsules),
                         name_of<BadCapsules>);

// --- within a session ---

class HostileServersSession : public HostileAnswer {
 protected:
  HostileServersSession() {
    peer.answer(peer.response(peer.right_answer()), HostileServer::right_capsules());
    EXPECT_TRUE(client.response);
    peer.node.take_datagrams(peer.stream);
  }
  void send(Bytes datagram) { send_datagram(world, peer.node, datagram); }
  // The session goes on as if nothing had been.
  void expect_a_packet_passes() {
    ASSERT_FALSE(client.ending) << client.ending->text;
    client.delivered.clear();
    send(Octets{0} + down(100, 1));
    EXPECT_EQ(client.delivered, std::vector<Packet>{down(100, 1)});
  }
};

class BrokenLater : public HostileServersSession,
                    public ::testing::WithParamInterface<BadCapsules> {};

TEST_P(BrokenLater, EndsTheSession) {
  peer.say(GetParam().bytes);
  expect_the_end(GetParam().words);
  expect_a_good_server_works();
}

const BadCapsules kChanges[] = {
    {"AnotherAddress", "changed this client's addresses", assign("10.8.0.3/32")},
    {"NoAddressAnyMore", "changed this client's addresses", HostileServer::assign({})},
    {"FurtherAddress", "changed this client's addresses",
     HostileServer::assign({*Prefix::parse("10.8.0.2/32"), *Prefix::parse("fd00:8::2/128")})},
};
INSTANTIATE_TEST_SUITE_P(Malformed, BrokenLater, ::testing::ValuesIn(kMalformedCapsules),
                         name_of<BadCapsules>);
INSTANTIATE_TEST_SUITE_P(Changes, BrokenLater, ::testing::ValuesIn(kChanges), name_of<BadCapsules>);

class SkippedLater : public HostileServersSession,
                     public ::testing::WithParamInterface<BadCapsules> {};

TEST_P(SkippedLater, ChangesNothing) {
  const auto before = *client.response;
  peer.say(GetParam().bytes);
  expect_a_packet_passes();
  EXPECT_EQ(client.drops().total(), 0u);
  EXPECT_EQ(client.response->client_ip, before.client_ip);
}

const BadCapsules kSkipped[] = {
    {"TheSameAddressAgain", "", assign("10.8.0.2/32")},
    {"RequestOfTheClientsAddresses", "", {2, 7, 1, 4, 10, 0, 0, 1, 32}},
};
INSTANTIATE_TEST_SUITE_P(Capsules, SkippedLater, ::testing::ValuesIn(kSkipped),
                         name_of<BadCapsules>);
INSTANTIATE_TEST_SUITE_P(Pieces, SkippedLater, ::testing::ValuesIn(kSkippedCapsules),
                         name_of<BadCapsules>);

class DroppedLater : public HostileServersSession,
                     public ::testing::WithParamInterface<BadDatagram> {
 protected:
  void expect_drops(std::uint64_t count) {
    EXPECT_EQ(client.drops().value(GetParam().drop), count);
    EXPECT_EQ(client.drops().total(), count);
    EXPECT_TRUE(client.delivered.empty());
  }
};

TEST_P(DroppedLater, IsCountedHoweverItComes) {
  send(GetParam().bytes);
  expect_drops(1);
  peer.say(HostileServer::capsule(wire::capsule::kDatagram, GetParam().bytes));
  expect_drops(2);
  expect_a_packet_passes();
}

INSTANTIATE_TEST_SUITE_P(Datagrams, DroppedLater, ::testing::ValuesIn(kBadDatagrams),
                         name_of<BadDatagram>);

TEST_F(HostileServersSession, EndsWithAStreamThatEndsInsideACapsule) {
  peer.say({1, 40, 0, 4, 10});
  peer.node.connection->finish(peer.stream);
  world.run_for(1s);
  expect_the_end("");
  expect_a_good_server_works();
}

// --- what is missing ---

// A client with a PSK and no cap `sealed` in the answer.
class HostileAnswerToASealedDevice : public HostileAnswer {
 protected:
  HostileAnswerToASealedDevice() : HostileAnswer(with_psk()) {}
  static client::Connector::Options with_psk() {
    client::Connector::Options options = client_options();
    options.identity->psk = wire::PresharedKey{5};
    options.identity->needs_sealed = true;
    return options;
  }
};

TEST_F(HostileAnswerToASealedDevice, IsNotBelievedWithoutTheCap) {
  ASSERT_TRUE(peer.asked.caps.sealed);
  wire::SessionAnswer answer = peer.right_answer();
  answer.caps.sealed = false;
  peer.answer(peer.response(answer), HostileServer::right_capsules());
  expect_the_end("does not seal packets");
  expect_nothing_is_applied();
}

class HostileAnswerToADirectClient : public HostileAnswer {
 protected:
  HostileAnswerToADirectClient() : HostileAnswer(with_direct()) {}
  static client::Connector::Options with_direct() {
    client::Connector::Options options = client_options();
    options.caps.direct = options.caps.resume = true;
    return options;
  }
};

TEST_F(HostileAnswerToADirectClient, HasIdsAsTheyShouldBeOrIsNotBelieved) {
  ASSERT_TRUE(peer.asked.caps.direct);
  std::string nine = ", direct=(";
  for (const char last : std::string_view("AEIMQUYcg"))
    nine += std::string(":AAAAAAAAAA") + last + "=: ";
  nine.back() = ')';
  for (const std::string& ids :
       {std::string(), std::string(", direct=()"), nine, std::string(", direct=(:AAAAAAAAAA==:)"),
        std::string(", direct=(:AAAAAAAAAAE=: :AAAAAAAAAAE=:)")}) {
    peer.answer(HostileServer::response(peer.field_without("direct") + ids),
                HostileServer::right_capsules());
    expect_the_end("in direct");
    expect_nothing_is_applied();
    begin();
  }
  peer.answer(HostileServer::response(peer.field_without("direct") + ", direct=(:AAAAAAAAAAE=:)"),
              HostileServer::right_capsules());
  EXPECT_TRUE(client.response);
}

TEST_F(HostileAnswer, WithCapsThatNobodyAskedForHasNoneOfThem) {
  const std::string field = peer.field_without("caps") +
                            ", caps=(direct sealed shared_id resume ping), direct=(:AA==:), "
                            "resume=\"\"";
  peer.answer(HostileServer::response(field), HostileServer::right_capsules());
  ASSERT_TRUE(client.response);
  EXPECT_FALSE(client.response->caps.direct || client.response->caps.resume);
  EXPECT_EQ(client.session().direct(), nullptr);
}

}  // namespace
}  // namespace qdt::testing
