#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "quic/endpoint_fixture.h"
#include "sim/tunnel_sim.h"
#include "wire/concealed_auth.h"
#include "wire/server_proof.h"

namespace qdt::testing {

/// Somebody between a client that accepts his certificate and its server. He terminates TLS on both
/// sides, sees and repeats what he likes (docs/protocol.md section 12).
class Relay : public TunnelSim {
 protected:
  static constexpr std::string_view kToken = "a token of sixteen";
  static constexpr wire::Ed25519Seed kIdentity{42};
  static constexpr wire::Ed25519Seed kDevice{7};
  static constexpr wire::Ed25519Seed kSealedDevice{8};
  static constexpr wire::PresharedKey kPsk{5};  // of the latter
  static inline const SocketAddress kFace{IpAddress::v4(0xcb007109), 443};
  static inline const SocketAddress kBack{IpAddress::v4(0xcb007109), 50000};

  static ServerNodeOptions server_options() {
    ServerNodeOptions options{.token = std::string(kToken), .identity = kIdentity};
    options.caps.direct = options.caps.resume = true;
    const auto key = [](const wire::Ed25519Seed& seed) {
      return wire::Ed25519Key(seed).public_key();
    };
    options.admission.devices = {{.name = "phone", .key = key(kDevice)},
                                 {.name = "sealed", .key = key(kSealedDevice), .psk = kPsk}};
    return options;
  }
  static client::Identity device_identity() {
    return {.seed = kDevice, .server_keys = {wire::Ed25519Key(kIdentity).public_key()}};
  }

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
  quic::Message pass_on(const quic::Message& request) {
    connect_back();
    return ask(request);
  }
  void connect_back() {
    back.connection = &back.endpoint.connect(test_client_tls(), "localhost",
                                             {kBack, kServerAddress}, world.now());
    EXPECT_TRUE(world.run_until(
        [&] { return back.connection != nullptr && back.connection->has_settings(); }, 5s));
  }
  quic::Message ask(const quic::Message& request) {
    back.last_message = {};
    EXPECT_TRUE(back.connection->request({.method = request.method,
                                          .authority = request.authority,
                                          .path = request.path,
                                          .headers = request.headers,
                                          .body = {},
                                          .protocol = request.protocol}));
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

}  // namespace qdt::testing
