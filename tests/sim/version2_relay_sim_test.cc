// Somebody in the middle whose certificate the client accepts: he terminates TLS on both sides,
// sees and repeats what he likes (docs/protocol.md section 13).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "quic/endpoint_fixture.h"
#include "sim/tunnel_sim.h"
#include "wire/concealed_auth.h"
#include "wire/server_proof.h"

namespace qdt::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kToken = "a token of sixteen";
const wire::Ed25519Seed kIdentity{42};
const wire::Ed25519Seed kDevice{7};
const SocketAddress kFace{IpAddress::v4(0xcb007109), 443};
const SocketAddress kBack{IpAddress::v4(0xcb007109), 50000};

ServerNodeOptions server_options() {
  ServerNodeOptions options{.token = std::string(kToken), .identity = kIdentity};
  options.admission.devices = {{.name = "phone", .key = wire::Ed25519Key(kDevice).public_key()}};
  return options;
}

client::Identity device_identity() {
  return {.seed = kDevice, .server_keys = {wire::Ed25519Key(kIdentity).public_key()}};
}

class Relay : public TunnelSim {
 protected:
  explicit Relay(const client::Connector::Options& options)
      : TunnelSim(server_options(), options),
        face({.connection = {.takes_extended_connect = true}}, &test_server_tls(), 5),
        back({}, nullptr, 6) {
    world.attach(kFace, face, {.delay = 10ms});
    world.attach(kBack, back, {.delay = 10ms});
  }

  // The client's request, as he sees it.
  quic::Message take_request() {
    client.connect(kClientAddress, kFace, world.now());
    EXPECT_TRUE(world.run_until([&] { return face.last_stream != -1; }, 5s));
    return face.last_message;
  }
  // The server's answer to that, over a connection of his own.
  quic::Message pass_on(const quic::Message& seen) {
    back.connection = &back.endpoint.connect(test_client_tls(), "localhost",
                                             {kBack, kServerAddress}, world.now());
    EXPECT_TRUE(world.run_until(
        [&] { return back.connection != nullptr && back.connection->has_settings(); }, 5s));
    EXPECT_TRUE(back.connection->request({.method = seen.method,
                                          .authority = seen.authority,
                                          .path = seen.path,
                                          .headers = seen.headers,
                                          .body = {},
                                          .protocol = seen.protocol}));
    EXPECT_TRUE(world.run_until([&] { return back.last_message.status != 0; }, 5s));
    return back.last_message;
  }
  // How the client's attempt ends when he answers it so.
  std::string answer(const quic::Response& response) {
    EXPECT_TRUE(face.connection->respond(face.last_stream, response));
    EXPECT_TRUE(world.run_until([&] { return client.ending || client.response; }, 10s));
    return client.ending ? client.ending->text : "a session";
  }
  // The best that he can make up: a proof by a key of his own, over all that he knows.
  quic::Response forged(const quic::Message& seen, const wire::Ed25519Seed& seed,
                        const wire::Ed25519PublicKey& named) {
    const auto asked = wire::parse_session_request(seen.header(wire::kSessionFieldName));
    const wire::Ed25519Key key(seed);
    wire::ServerProof proof{.client_nonce = asked->nonce, .server_nonce = {1}};
    face.connection->exporter().derive(wire::kServerProofLabel, {}, proof.exported);
    const auto auth = wire::parse_concealed_auth(seen.header("authorization"));
    proof.client_key = auth->public_key;
    const wire::SessionAnswer answer{
        .nonce = {1}, .mtu = 1400, .key = named, .proof = wire::sign_server_proof(key, proof)};
    return {.status = 200,
            .headers = {{"capsule-protocol", "?1"},
                        {std::string(wire::kSessionFieldName), wire::write_session_field(answer)}},
            .keeps_stream_open = true};
  }
  static std::string text_of(const quic::Message& message) {
    std::string text = message.path + message.authority + message.body;
    for (const auto& [name, value] : message.headers) text += name + value;
    return text;
  }

  quic::Node face;  // towards the client
  quic::Node back;  // towards the server
};

class TokenRelay : public Relay {
 protected:
  // `insecure: true`
  TokenRelay()
      : Relay({.token = std::string(kToken), .auth = Auth::kAuto, .knows_certificate = false}) {}
};

TEST_F(TokenRelay, GetsNoSessionWithTheServer) {
  const quic::Message seen = take_request();
  EXPECT_EQ(seen.protocol, "connect-ip");
  EXPECT_EQ(text_of(seen).find(kToken), std::string::npos);
  EXPECT_EQ(pass_on(seen).status, 401);
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(TokenRelay, GetsNoSessionWithTheClient) {
  const quic::Message seen = take_request();
  const wire::Ed25519PublicKey server_key =
      wire::Ed25519Key(wire::derive_token_keys(kToken).server).public_key();
  EXPECT_THAT(answer(forged(seen, {66}, server_key)), HasSubstr("not who it should be"));
  EXPECT_FALSE(client.response);
}

TEST_F(TokenRelay, IsShownNoTokenForRefusing) {
  take_request();
  EXPECT_NE(answer({.status = 404, .body = "not found"}), "a session");
  EXPECT_EQ(face.last_message.method, "CONNECT");  // and nothing came behind it
  EXPECT_EQ(text_of(face.last_message).find(kToken), std::string::npos);
}

class KeyRelay : public Relay {
 protected:
  KeyRelay() : Relay({.auth = Auth::kAuto, .identity = device_identity()}) {}
};

TEST_F(KeyRelay, GetsNoSessionWithTheServer) {
  EXPECT_EQ(pass_on(take_request()).status, 401);
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(KeyRelay, GetsNoSessionWithTheClient) {
  const quic::Message seen = take_request();
  const auto server_key = device_identity().server_keys[0];
  EXPECT_THAT(answer(forged(seen, {66}, server_key)), HasSubstr("not who it should be"));
}

TEST_F(KeyRelay, GetsNoSessionByAKeyOfHisOwn) {
  const quic::Message seen = take_request();
  const wire::Ed25519Seed own{66};
  EXPECT_THAT(answer(forged(seen, own, wire::Ed25519Key(own).public_key())),
              HasSubstr("another key"));
}

TEST_F(KeyRelay, GetsNoSessionByLeavingTheProofOut) {
  take_request();
  EXPECT_THAT(
      answer({.status = 200, .headers = {{"capsule-protocol", "?1"}}, .keeps_stream_open = true}),
      HasSubstr("did not prove"));
}

// A right server's answer is of its own connection with him.
TEST_F(KeyRelay, GetsNoSessionByAnAnswerThatTheServerGaveHim) {
  ClientNode own({.auth = Auth::kProof, .identity = device_identity()}, 9);
  world.attach(kClient2Address, own, {.delay = 10ms});
  ASSERT_TRUE(connect(own, kClient2Address));  // say that he has the device's key as well
  const quic::Message seen = take_request();
  EXPECT_THAT(answer(forged(seen, kDevice, device_identity().server_keys[0])),
              HasSubstr("not of this connection"));
}

}  // namespace
}  // namespace qdt::testing
