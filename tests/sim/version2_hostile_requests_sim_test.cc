// What a client may say to a server of version 2 that no client should: each is refused and
// counted, nothing of it stays, and a good request behind it gets its session
// (docs/protocol.md sections 2 to 5 and 9).

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sim/hostile_bytes.h"
#include "sim/hostile_client.h"
#include "sim/tunnel_sim.h"
#include "wire/base64.h"
#include "wire/capsule.h"

namespace qdt::testing {
namespace {

using wire::HandshakeResult;

constexpr wire::Ed25519Seed kIdentity{42};
constexpr wire::Ed25519Seed kSealedDevice{8};
constexpr wire::Ed25519Seed kStranger{9};
constexpr std::string_view kSecret = "a secret of 128 bits at least";
constexpr auto kOk = HandshakeResult::kOk;
constexpr auto kUnauthorized = HandshakeResult::kUnauthorized;
constexpr auto kBadRequest = HandshakeResult::kBadRequest;
constexpr auto kLimitedScope = HandshakeResult::kLimitedScope;

ServerNodeOptions server_options() {
  ServerNodeOptions options{.ipv6 = kIpv6Pool, .identity = kIdentity};
  options.admission.devices = {
      {.name = "phone", .key = public_key(HostileClient::kDevice)},
      {.name = "sealed", .key = public_key(kSealedDevice), .psk = wire::PresharedKey{5}},
      {.name = "laptop",
       .login =
           access::Device::Login{.name = "laptop", .secret_digest = wire::secret_digest(kSecret)}}};
  return options;
}

client::Connector::Options honest_options() {
  return {.auth = Auth::kProof,
          .identity = client::Identity{.seed = HostileClient::kDevice,
                                       .server_keys = {public_key(kIdentity)}}};
}

// A server, an honest client, and a hostile one that is connected.
class HostileRequest : public TunnelSim {
 protected:
  HostileRequest() : TunnelSim(server_options(), honest_options()), peer(world) { peer.connect(); }

  std::uint64_t count(HandshakeResult result) const { return server.handshakes.value(result); }
  std::uint64_t count_all() const {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(HandshakeResult::kCount); ++i) {
      all += count(static_cast<HandshakeResult>(i));
    }
    return all;
  }
  void expect_refusal(HandshakeResult result) {
    const wire::HandshakeStatus said = wire::handshake_status(result);
    EXPECT_EQ(peer.status(), said.status);
    EXPECT_TRUE(world.run_until([&] { return peer.node.last_message.has_ended; }, 1s));
    EXPECT_EQ(peer.node.last_message.body, said.body);
    EXPECT_EQ(count(result), 1u);
    EXPECT_EQ(count_all(), 1u);
  }
  void expect_nothing_is_held() {
    EXPECT_EQ(server.tunnel().sessions().size(), 0u);
    EXPECT_EQ(server.admission.sessions(), 0u);
    EXPECT_EQ(server.leases.lent(), 0u);
    EXPECT_TRUE(server.delivered.empty());
  }
  void expect_a_good_request_works() {
    ASSERT_TRUE(connect()) << client.ending->text;
    client.inject(up(600, 1), world.now());
    world.run_for(200ms);
    EXPECT_EQ(server.delivered, std::vector<Packet>{up(600, 1)});
  }

  HostileClient peer;
};

// --- requests that are refused ---

struct RefusedRequest {
  const char* name;
  HandshakeResult result;
  quic::Request (*make)(const HostileClient& peer);
};

void PrintTo(const RefusedRequest& row, std::ostream* out) {
  *out << row.name;
}

class Refused : public HostileRequest, public ::testing::WithParamInterface<RefusedRequest> {};

TEST_P(Refused, IsCountedAndForgotten) {
  peer.ask(GetParam().make(peer));
  expect_refusal(GetParam().result);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

using Peer = const HostileClient&;

// A signature in which S is larger by the group's order, which verifies where nobody looks (RFC
// 8032 section 5.1.7).
wire::Ed25519Signature with_order_added(wire::Ed25519Signature signature) {
  constexpr std::uint8_t kOrder[] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                     0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                     0,    0,    0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned sum = signature[32 + i] + kOrder[i] + carry;
    signature[32 + i] = static_cast<std::uint8_t>(sum);
    carry = sum >> 8;
  }
  return signature;
}

// The context of a right proof, with a part of it otherwise.
wire::ConcealedAuth proof_over(Peer peer, std::string_view from, std::string_view to) {
  const wire::Ed25519Key key(HostileClient::kDevice);
  const auto key_id = wire::key_id_of(key.public_key());
  std::string context(as_text(wire::concealed_context(key_id, key.public_key(), "localhost", 443)));
  context.replace(context.find(from), from.size(), to);
  return wire::prove(key, key_id, peer.exported(as_bytes(context)));
}

// A point of small order as a key, for which one signature fits every message.
wire::ConcealedAuth proof_of_small_order() {
  wire::ConcealedAuth auth;
  auth.public_key[0] = auth.proof[0] = 1;
  auth.key_id = wire::key_id_of(auth.public_key);
  return auth;
}

const RefusedRequest kProofs[] = {
    {"NoProof", kUnauthorized,
     [](Peer p) {
       quic::Request request = p.request();
       request.headers.erase(request.headers.begin() + 1);
       return request;
     }},
    {"EmptyField", kUnauthorized, [](Peer p) { return p.showing(""); }},
    {"ProofTwice", kUnauthorized,
     [](Peer p) { return p.adding("authorization", wire::write_concealed_auth(p.proof())); }},
    {"ProofInBothFields", kUnauthorized,
     [](Peer p) { return p.adding("proxy-authorization", wire::write_concealed_auth(p.proof())); }},
    {"ProofAndALogin", kUnauthorized,
     [](Peer p) { return p.adding("authorization", "Bearer " + std::string(kSecret)); }},
    {"SchemeAlone", kUnauthorized, [](Peer p) { return p.showing("Concealed"); }},
    {"SchemeOfAnother", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("Concealed", "Signature")); }},
    {"NoKeyId", kUnauthorized, [](Peer p) { return p.showing(p.proof_without('k')); }},
    {"NoKey", kUnauthorized, [](Peer p) { return p.showing(p.proof_without('a')); }},
    {"NoScheme", kUnauthorized, [](Peer p) { return p.showing(p.proof_without('s')); }},
    {"NoVerification", kUnauthorized, [](Peer p) { return p.showing(p.proof_without('v')); }},
    {"NoSignature", kUnauthorized, [](Peer p) { return p.showing(p.proof_without('p')); }},
    {"KeyIdTwice", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("k=", p.parameter('k') + ", k=")); }},
    {"SignatureTwice", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("p=", p.parameter('p') + ", p=")); }},
    {"QuotedKeyId", kUnauthorized,
     [](Peer p) {
       const std::string id = p.parameter('k').substr(2);
       return p.showing(p.proof_with(id, '"' + id + '"'));
     }},
    {"PaddedKey", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with(p.parameter('a'), p.parameter('a') + '=')); }},
    {"SchemeOfEcdsa", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("s=2055", "s=1027")); }},
    {"SchemeWithAZeroBefore", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("s=2055", "s=02055")); }},
    {"Realm", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("Concealed", "Concealed realm=\"r\",")); }},
    {"RealmInTheContext", kUnauthorized,
     [](Peer p) {
       // Host, port, and the realm's length.
       using namespace std::string_view_literals;
       return p.showing(proof_over(p, "localhost\x01\xbb\0"sv, "localhost\x01\xbb\x01r"sv));
     }},
    {"LongerThanItsBound", kUnauthorized,
     [](Peer p) {
       return p.showing(p.proof_with("Concealed", "Concealed x=" + std::string(900, 'x') + ","));
     }},
    {"UnknownKey", kUnauthorized, [](Peer p) { return p.showing(p.proof(kStranger)); }},
    {"ServersOwnKey", kUnauthorized, [](Peer p) { return p.showing(p.proof(kIdentity)); }},
    {"KeyOfSmallOrder", kUnauthorized, [](Peer p) { return p.showing(proof_of_small_order()); }},
    {"KeyOfADeviceThatIsNotItsOwn", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof(kStranger);
       auth.public_key = public_key(HostileClient::kDevice);
       return p.showing(auth);
     }},
    {"NameOfADeviceThatIsNotItsOwn", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof(kStranger);
       auth.key_id = wire::key_id_of(public_key(HostileClient::kDevice));
       return p.showing(auth);
     }},
    {"KeyAndNameOfADeviceThatIsNotItsOwn", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof();
       auth.proof = p.proof(kStranger).proof;
       return p.showing(auth);
     }},
    {"WrongSignature", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof();
       auth.proof[0] ^= 1;
       return p.showing(auth);
     }},
    {"SignatureOfZeros", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof();
       auth.proof = {};
       return p.showing(auth);
     }},
    {"SignatureWithTheOrderAdded", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof();
       auth.proof = with_order_added(auth.proof);
       return p.showing(auth);
     }},
    {"CutSignature", kUnauthorized,
     [](Peer p) {
       const std::string text = p.parameter('p');
       return p.showing(p.proof_with(text, text.substr(0, text.size() - 2)));
     }},
    {"WrongVerification", kUnauthorized,
     [](Peer p) {
       wire::ConcealedAuth auth = p.proof();
       auth.verification[15] ^= 0x80;
       return p.showing(auth);
     }},
    {"LongVerification", kUnauthorized,
     [](Peer p) { return p.showing(p.proof_with("v=", "v=AAAA")); }},
    {"ProofForAnotherHost", kUnauthorized,
     [](Peer p) { return p.showing(p.proof(HostileClient::kDevice, "localhost.example")); }},
    {"ProofForAnotherPort", kUnauthorized,
     [](Peer p) { return p.showing(p.proof(HostileClient::kDevice, "localhost", 8443)); }},
    {"ProofForAnotherScheme", kUnauthorized,
     [](Peer p) { return p.showing(proof_over(p, "\x05https", "\x04http")); }},
    {"AuthorityOfAnotherHost", kUnauthorized,
     [](Peer p) { return p.with(&quic::Request::authority, "localhost.example"); }},
    {"AuthorityOfAnotherPort", kUnauthorized,
     [](Peer p) { return p.with(&quic::Request::authority, "localhost:444"); }},
    {"AuthorityWithoutAPort", kUnauthorized,
     [](Peer p) { return p.with(&quic::Request::authority, "localhost:"); }},
    {"AuthorityWithoutBrackets", kUnauthorized,
     [](Peer p) { return p.with(&quic::Request::authority, "2001:db8::1"); }},
    {"WrongSecret", kUnauthorized,
     [](Peer p) { return p.showing("Basic " + wire::encode_base64(as_bytes("laptop:a secret"))); }},
    {"SecretOfAnotherName", kUnauthorized,
     [](Peer p) {
       const std::string login = "phone:" + std::string(kSecret);
       return p.showing("Basic " + wire::encode_base64(as_bytes(login)));
     }},
    {"SecretWithoutItsName", kUnauthorized,
     [](Peer p) { return p.showing("Bearer " + std::string(kSecret)); }},
    {"LoginWithoutAColon", kUnauthorized,
     [](Peer p) { return p.showing("Basic " + wire::encode_base64(as_bytes(kSecret))); }},
    {"LoginWithAZero", kUnauthorized,
     [](Peer p) {
       const std::string login = std::string("laptop\0:", 8) + std::string(kSecret);
       return p.showing("Basic " + wire::encode_base64(as_bytes(login)));
     }},
    {"TokenAsASecret", kUnauthorized, [](Peer p) { return p.showing("Bearer secret-token"); }},
    {"TokenAsInVersion1", kUnauthorized,
     [](Peer p) {
       quic::Request request = p.showing("");
       request.headers.emplace_back("x-qdt-token", "secret-token");
       return request;
     }},
};
INSTANTIATE_TEST_SUITE_P(Proofs, Refused, ::testing::ValuesIn(kProofs), name_of<RefusedRequest>);

// The same nonce, and what comes behind it.
std::string field(std::string_view rest) {
  return "v=2, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:" + std::string(rest);
}

// A list of so many direct IDs.
std::string direct_ids(int count) {
  std::string list = ", caps=(direct), direct=(";
  for (int i = 0; i < count; ++i) {
    const Octets id = {0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(i)};
    list += (i > 0 ? " :" : ":") + wire::encode_base64(id) + ":";
  }
  return list + ")";
}

const RefusedRequest kFields[] = {
    {"EmptyQdt", kBadRequest, [](Peer p) { return p.asking(""); }},
    {"NoVersion", kBadRequest, [](Peer p) { return p.asking("nonce=:AAAAAAAAAAAAAAAAAAAAAA==:"); }},
    {"Version1", kBadRequest,
     [](Peer p) { return p.asking("v=1, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:"); }},
    {"Version3", kBadRequest,
     [](Peer p) { return p.asking("v=3, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:"); }},
    {"VersionAsAString", kBadRequest,
     [](Peer p) { return p.asking("v=\"2\", nonce=:AAAAAAAAAAAAAAAAAAAAAA==:"); }},
    {"VersionAsADecimal", kBadRequest,
     [](Peer p) { return p.asking("v=2.0, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:"); }},
    {"VersionTwice", kBadRequest, [](Peer p) { return p.asking(field(", v=2")); }},
    {"KeyTwiceInTwoLines", kBadRequest, [](Peer p) { return p.adding("qdt", "v=2"); }},
    {"NoNonce", kBadRequest, [](Peer p) { return p.asking("v=2"); }},
    {"NonceOf15Bytes", kBadRequest,
     [](Peer p) { return p.asking("v=2, nonce=:AAAAAAAAAAAAAAAAAAAA:"); }},
    {"NonceOf17Bytes", kBadRequest,
     [](Peer p) { return p.asking("v=2, nonce=:AAAAAAAAAAAAAAAAAAAAAAA=:"); }},
    {"NonceAsAString", kBadRequest,
     [](Peer p) { return p.asking("v=2, nonce=\"AAAAAAAAAAAAAAAA\""); }},
    {"NonceThatIsNoBase64", kBadRequest,
     [](Peer p) { return p.asking("v=2, nonce=:AAAA*AAAAAAAAAAAAAAAAA==:"); }},
    {"CapsAsAToken", kBadRequest, [](Peer p) { return p.asking(field(", caps=ping")); }},
    {"CapsAsStrings", kBadRequest, [](Peer p) { return p.asking(field(", caps=(\"ping\")")); }},
    {"MtuBelowItsBound", kBadRequest, [](Peer p) { return p.asking(field(", mtu=575")); }},
    {"MtuAboveItsBound", kBadRequest, [](Peer p) { return p.asking(field(", mtu=65536")); }},
    {"MtuBelowZero", kBadRequest, [](Peer p) { return p.asking(field(", mtu=-1350")); }},
    {"MtuAsADecimal", kBadRequest, [](Peer p) { return p.asking(field(", mtu=1350.5")); }},
    {"MtuOf16Digits", kBadRequest,
     [](Peer p) { return p.asking(field(", mtu=1000000000001350")); }},
    {"DirectWithoutIds", kBadRequest, [](Peer p) { return p.asking(field(", caps=(direct)")); }},
    {"DirectWithNone", kBadRequest, [](Peer p) { return p.asking(field(direct_ids(0))); }},
    {"DirectWithNine", kBadRequest, [](Peer p) { return p.asking(field(direct_ids(9))); }},
    {"DirectIdTwice", kBadRequest,
     [](Peer p) {
       return p.asking(field(", caps=(direct), direct=(:AAAAAAAAAAE=: :AAAAAAAAAAE=:)"));
     }},
    {"DirectIdOf7Bytes", kBadRequest,
     [](Peer p) { return p.asking(field(", caps=(direct), direct=(:AAAAAAAAAA==:)")); }},
    {"ResumeEmpty", kBadRequest,
     [](Peer p) { return p.asking(field(", caps=(resume), resume=\"\"")); }},
    {"ResumeTooLong", kBadRequest,
     [](Peer p) {
       return p.asking(field(", caps=(resume), resume=\"" + std::string(129, 'r') + "\""));
     }},
    {"ResumeWithASpace", kBadRequest,
     [](Peer p) { return p.asking(field(", caps=(resume), resume=\"a b\"")); }},
    {"NameAsBytes", kBadRequest, [](Peer p) { return p.asking(field(", name=:AAAA:")); }},
    {"MoreThan256Parts", kBadRequest,
     [](Peer p) {
       std::string parameters;
       for (int i = 0; i < 256; ++i) parameters += ";a" + std::to_string(i);
       return p.asking(field(", x" + parameters));
     }},
    {"ListWithoutAnEnd", kBadRequest, [](Peer p) { return p.asking(field(", x=(1 2")); }},
    {"StringWithoutAnEnd", kBadRequest, [](Peer p) { return p.asking(field(", x=\"y")); }},
    {"CommaAtTheEnd", kBadRequest, [](Peer p) { return p.asking(field(",")); }},
    {"KeyInCapitals", kBadRequest, [](Peer p) { return p.asking(field(", X=1")); }},
    {"LetterBeyondAscii", kBadRequest, [](Peer p) { return p.asking(field(", x=\"\xc3\xa4\"")); }},
    {"SealedDeviceThatDoesNotSeal", kBadRequest,
     [](Peer p) { return p.showing(p.proof(kSealedDevice)); }},
    {"TargetWithoutAForm", kBadRequest,
     [](Peer p) {
       return p.with(&quic::Request::path, "/.well-known/masque/ip/10.8.0.1%2F33/*/");
     }},
    {"ProtocolWithoutAForm", kBadRequest,
     [](Peer p) { return p.with(&quic::Request::path, "/.well-known/masque/ip/*/256/"); }},
    {"OneTarget", kLimitedScope,
     [](Peer p) { return p.with(&quic::Request::path, "/.well-known/masque/ip/10.8.0.1/*/"); }},
    {"OneProtocol", kLimitedScope,
     [](Peer p) { return p.with(&quic::Request::path, "/.well-known/masque/ip/*/17/"); }},
};
INSTANTIATE_TEST_SUITE_P(Fields, Refused, ::testing::ValuesIn(kFields), name_of<RefusedRequest>);

// --- the same, wherever a text is cut ---

// Somebody without a session does not stay for long.
constexpr std::size_t kRequestsOfAConnection = 16;

TEST_F(HostileRequest, WithAFieldThatIsCutAnywhereIsRefused) {
  // What is required comes last.
  const std::string whole =
      "caps=(ping close), mtu=1350;a=?1, name=\"n\", x=1.5, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:, v=2";
  std::size_t refused = 0;
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const std::string text = whole.substr(0, bytes);
    // Of a field that ends in a space (RFC 9110 section 5.5) nghttp3 tells nobody.
    if (text.ends_with(' ')) continue;
    if (refused % kRequestsOfAConnection == 0) peer.reconnect();
    peer.ask(peer.asking(text));
    ASSERT_EQ(peer.status(), 400) << text;
    ++refused;
  }
  EXPECT_GT(refused, 80u);
  EXPECT_EQ(count(kBadRequest), refused);
  EXPECT_EQ(count_all(), refused);
  expect_nothing_is_held();
  peer.ask(peer.asking(whole));
  EXPECT_EQ(peer.status(), 200);
}

TEST_F(HostileRequest, WithAProofThatIsCutAnywhereIsRefused) {
  const std::size_t size = wire::write_concealed_auth(peer.proof()).size();
  for (std::size_t bytes = 0; bytes < size; ++bytes) {
    if (bytes % kRequestsOfAConnection == 0) peer.reconnect();
    const std::string text = wire::write_concealed_auth(peer.proof()).substr(0, bytes);
    peer.ask(peer.showing(text));
    ASSERT_EQ(peer.status(), 401) << text;
  }
  EXPECT_EQ(count(kUnauthorized), size);
  EXPECT_EQ(count_all(), size);
  expect_nothing_is_held();
  peer.ask(peer.request());
  EXPECT_EQ(peer.status(), 200);
}

// --- proofs that were good once ---

TEST_F(HostileRequest, WithTheProofOfAnotherConnectionIsRefused) {
  HostileClient other(world, {IpAddress::v4(0xcb00710a), 50000});
  other.connect();
  peer.ask(peer.showing(other.proof()));
  expect_refusal(kUnauthorized);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

// The TLS session is that of before, and has another exporter.
TEST_F(HostileRequest, WithTheProofOfAnEarlierConnectionIsRefused) {
  const wire::ConcealedAuth earlier = peer.proof();
  peer.reconnect();
  peer.ask(peer.showing(earlier));
  expect_refusal(kUnauthorized);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

// --- requests of other things ---

struct OtherRequest {
  const char* name;
  int status;  // 0: none, the stream or the connection ends
  quic::Request (*make)(const HostileClient& peer);
};

void PrintTo(const OtherRequest& row, std::ostream* out) {
  *out << row.name;
}

class Visited : public HostileRequest, public ::testing::WithParamInterface<OtherRequest> {};

// With a right proof, and all the same.
TEST_P(Visited, IsNoHandshake) {
  peer.ask(GetParam().make(peer));
  EXPECT_EQ(peer.status(), GetParam().status);
  EXPECT_EQ(count_all(), 0u);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

const OtherRequest kOthers[] = {
    {"ConnectUdp", 404, [](Peer p) { return p.with(&quic::Request::protocol, "connect-udp"); }},
    {"WebSocket", 404, [](Peer p) { return p.with(&quic::Request::protocol, "websocket"); }},
    {"ProtocolInCapitals", 404,
     [](Peer p) { return p.with(&quic::Request::protocol, "CONNECT-IP"); }},
    {"AnotherPath", 404, [](Peer p) { return p.with(&quic::Request::path, "/"); }},
    {"PathWithoutItsEnd", 404,
     [](Peer p) { return p.with(&quic::Request::path, "/.well-known/masque/ip/*/*"); }},
    {"PathWithMore", 404,
     [](Peer p) { return p.with(&quic::Request::path, "/.well-known/masque/ip/*/*/*/"); }},
    {"PathOfMoreThan1024Bytes", 404,
     [](Peer p) {
       return p.with(&quic::Request::path,
                     "/.well-known/masque/ip/" + std::string(1100, '*') + "/*/");
     }},
    {"ProtocolWithAnotherMethod", 0, [](Peer p) { return p.with(&quic::Request::method, "GET"); }},
    {"MethodTwice", 0, [](Peer p) { return p.adding(":method", "CONNECT"); }},
    {"ProtocolTwice", 0, [](Peer p) { return p.adding(":protocol", "connect-ip"); }},
    {"PseudoFieldOfAnAnswer", 0, [](Peer p) { return p.adding(":status", "200"); }},
    {"UnknownPseudoField", 0, [](Peer p) { return p.adding(":qdt", "v=2"); }},
    {"AuthorityWithAUser", 0,
     [](Peer p) { return p.with(&quic::Request::authority, "user@localhost"); }},
    {"FieldOfConnections", 0, [](Peer p) { return p.adding("transfer-encoding", "chunked"); }},
};
INSTANTIATE_TEST_SUITE_P(Others, Visited, ::testing::ValuesIn(kOthers), name_of<OtherRequest>);

// --- within a session ---

class HostileSession : public HostileRequest {
 protected:
  HostileSession() {
    peer.ask(peer.request());
    EXPECT_EQ(peer.status(), 200);
    peer.node.take_datagrams(peer.stream);
  }
  tunnel::Session& session() { return **server.tunnel().sessions().begin(); }
  // On the stream, in pieces that it takes at once.
  void say(Bytes bytes) {
    while (!bytes.empty()) {
      const Bytes piece = bytes.first(std::min<std::size_t>(bytes.size(), 30000));
      bytes = bytes.subspan(piece.size());
      ASSERT_TRUE(peer.node.connection->send(peer.stream, Octets(piece.begin(), piece.end())));
      world.run_for(200ms);
    }
  }
  void send(Bytes datagram) { send_datagram(world, peer.node, datagram); }
  // The session goes on as if nothing had been.
  void expect_a_packet_passes() {
    ASSERT_EQ(server.tunnel().sessions().size(), 1u);
    const Packet packet = udp_packet(session().lease(), kInternet, 100, 1);
    server.delivered.clear();
    send(Octets{0} + packet);
    EXPECT_EQ(server.delivered, std::vector<Packet>{packet});
  }
};

class Broken : public HostileSession, public ::testing::WithParamInterface<BadCapsules> {};

TEST_P(Broken, EndsTheSession) {
  say(GetParam().bytes);
  ASSERT_TRUE(peer.node.closed);
  EXPECT_EQ(peer.node.closed->text, "malformed capsule");
  expect_nothing_is_held();
  expect_a_good_request_works();
}

Octets requests(std::uint8_t first, std::uint8_t count) {
  Octets value;
  for (std::uint8_t i = 0; i < count; ++i) {
    value = value + Octets{static_cast<std::uint8_t>(first + i), 4, 0, 0, 0, 0, 32};
  }
  Octets capsule;
  wire::append_capsule(capsule, wire::capsule::kAddressRequest, value);
  return capsule;
}

const BadCapsules kBroken[] = {
    {"RequestLengthOf62Bits", "", {2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    {"IdOfAnEarlierRequest", "", requests(1, 1) + requests(1, 1)},
    {"MoreThan64Requests", "", requests(1, 40) + requests(41, 25)},
};
INSTANTIATE_TEST_SUITE_P(Capsules, Broken, ::testing::ValuesIn(kBroken), name_of<BadCapsules>);
INSTANTIATE_TEST_SUITE_P(Malformed, Broken, ::testing::ValuesIn(kMalformedCapsules),
                         name_of<BadCapsules>);

class Skipped : public HostileSession, public ::testing::WithParamInterface<BadCapsules> {};

TEST_P(Skipped, ChangesNothing) {
  say(GetParam().bytes);
  expect_a_packet_passes();
  EXPECT_EQ(server.drops().total(), 0u);
}

const BadCapsules kSkipped[] = {
    {"AddressOfAnother", "", {1, 7, 0, 4, 10, 8, 0, 9, 32}},
    {"RoutesOfAnother", "", {3, 10, 4, 0, 0, 0, 0, 255, 255, 255, 255, 0}},
    {"RequestOfTheGatewaysAddress", "", {2, 7, 1, 4, 10, 8, 0, 1, 32}},
};
INSTANTIATE_TEST_SUITE_P(Capsules, Skipped, ::testing::ValuesIn(kSkipped), name_of<BadCapsules>);
INSTANTIATE_TEST_SUITE_P(Pieces, Skipped, ::testing::ValuesIn(kSkippedCapsules),
                         name_of<BadCapsules>);

class Dropped : public HostileSession, public ::testing::WithParamInterface<BadDatagram> {
 protected:
  void expect_drops(std::uint64_t count) {
    EXPECT_EQ(server.drops().value(GetParam().drop), count);
    EXPECT_EQ(server.drops().total(), count);
    EXPECT_TRUE(server.delivered.empty());
  }
};

TEST_P(Dropped, IsCountedHoweverItComes) {
  send(GetParam().bytes);
  expect_drops(1);
  Octets capsule;
  wire::append_capsule(capsule, wire::capsule::kDatagram, GetParam().bytes);
  say(capsule);
  expect_drops(2);
  expect_a_packet_passes();
}

Octets packet_from(const IpAddress& source, const IpAddress& destination = kInternet) {
  return Octets{0} + udp_packet(source, destination, source.is_v4() ? 60 : 80);
}

Octets packet_that_lies() {
  Octets datagram = packet_from(IpAddress::v4(0x0a080002));
  datagram[1 + 3] = 61;  // of 60 bytes
  return datagram;
}

const BadDatagram kDatagrams[] = {
    {"PacketThatLies", Drop::kMalformed, packet_that_lies()},
    {"AddressOfTheGateway", Drop::kSpoofedSource, packet_from(IpAddress::v4(0x0a080001))},
    {"AddressOfAnotherClient", Drop::kSpoofedSource, packet_from(IpAddress::v4(0x0a080009))},
    {"AddressOnTheInternet", Drop::kSpoofedSource, packet_from(IpAddress::v4(0x08080404))},
    {"AddressOfIpv6OfAnotherClient", Drop::kSpoofedSource,
     packet_from(*IpAddress::parse("fd00:8::9"), kInternet6)},
    {"AddressOfALink", Drop::kLinkLocal,
     packet_from(*IpAddress::parse("fe80::2"), *IpAddress::parse("ff02::2"))},
    {"FragmentOfMoreThanIsPutTogether",
     Drop::kReassemblyFull,
     {2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 1, 1, 2, 3}},
};
INSTANTIATE_TEST_SUITE_P(Datagrams, Dropped, ::testing::ValuesIn(kDatagrams), name_of<BadDatagram>);
INSTANTIATE_TEST_SUITE_P(Anybodys, Dropped, ::testing::ValuesIn(kBadDatagrams),
                         name_of<BadDatagram>);

TEST_F(HostileSession, EndsWithAStreamThatEndsInsideACapsule) {
  say(Octets{1, 40, 0, 4, 10});
  peer.node.connection->finish(peer.stream);
  world.run_for(1s);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

TEST_F(HostileSession, EndsWithAStreamThatIsReset) {
  peer.node.connection->reset(peer.stream, 0);
  world.run_for(1s);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

TEST_F(HostileSession, IsTheOnlyOneOfItsConnection) {
  quic::Request second = peer.request();
  const quic::StreamId first = peer.stream;
  const auto stream = peer.node.connection->request(second);
  if (stream) {
    ASSERT_TRUE(world.run_until([&] { return peer.node.last_stream == *stream; }, 5s));
    EXPECT_NE(peer.status(), 200);
  }
  peer.stream = first;
  EXPECT_EQ(server.admission.sessions(), 1u);
  EXPECT_EQ(server.leases.lent(), 1u);
  expect_a_packet_passes();
}

TEST_F(HostileRequest, ThatIsOverBeforeItsAnswerLeavesNothing) {
  peer.stream = *peer.node.connection->request(peer.request());
  peer.node.connection->finish(peer.stream);
  world.run_for(1s);
  EXPECT_EQ(count(kOk), 1u);
  expect_nothing_is_held();
  expect_a_good_request_works();
}

}  // namespace
}  // namespace qdt::testing
