// Somebody in the middle whose certificate the client accepts: he terminates TLS on both sides,
// sees and repeats what he likes (docs/protocol.md section 13).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sim/relay.h"

namespace qdt::testing {
namespace {

using ::testing::HasSubstr;

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
