#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quic/endpoint_fixture.h"
#include "sim/member_list.h"
#include "sim/nodes.h"
#include "wire/concealed_auth.h"

namespace qdt::testing {

/// A client of version 2 whose QUIC and TLS are real, and which says what it likes: its requests
/// are those of an honest one, but for what a test changes. It has a device's key.
class HostileClient {
 public:
  static constexpr wire::Ed25519Seed kDevice{7};
  static constexpr std::string_view kField =
      "v=2, nonce=:AAAAAAAAAAAAAAAAAAAAAA==:, caps=(ping close fragment)";
  static inline const SocketAddress kAddress{IpAddress::v4(0xcb007109), 50000};

  explicit HostileClient(SimWorld& sim_world, const SocketAddress& from = kAddress)
      : world(sim_world), address(from), node({}, nullptr, from.address.v4_number()) {
    world.attach(address, node, {.delay = 10ms});
  }

  void connect() {
    node.closed.reset();
    node.connection = &node.endpoint.connect(test_client_tls(), "localhost",
                                             {address, kServerAddress}, world.now());
    ASSERT_TRUE(world.run_until(
        [&] { return node.connection != nullptr && node.connection->has_settings(); }, 5s));
  }
  /// Ends the connection, and begins another.
  void reconnect() {
    node.connection->close("", world.now());
    world.run_for(100ms);
    stream = -1;
    connect();
  }
  /// Sends a request, and waits for what comes of it: an answer, or the end of stream or
  /// connection.
  void ask(const quic::Request& request) {
    if (stream != -1) {
      node.connection->finish(stream);
      world.run_for(200ms);  // the server allows the next one
    }
    const auto sent = node.connection->request(request);
    ASSERT_TRUE(sent);
    stream = *sent;
    node.last_message = {};
    const int closed = node.closed_streams;
    ASSERT_TRUE(world.run_until(
        [&] { return node.closed || node.closed_streams > closed || status() != 0; }, 10s));
  }
  int status() const { return node.last_message.status; }

  // --- proofs ---

  /// What its connection exports for a proof by these.
  wire::ConcealedExport exported(Bytes context) const {
    wire::ConcealedExport out;
    node.connection->exporter().derive(wire::kConcealedLabel, context, out);
    return out;
  }
  /// A sound proof for that key and that authority.
  wire::ConcealedAuth proof(const wire::Ed25519Seed& seed = kDevice,
                            std::string_view host = "localhost", std::uint16_t port = 443) const {
    const wire::Ed25519Key key(seed);
    const auto key_id = wire::key_id_of(key.public_key());
    return wire::prove(key, key_id,
                       exported(wire::concealed_context(key_id, key.public_key(), host, port)));
  }
  /// The right proof, as the field has it, with `to` in place of `from`.
  std::string proof_with(std::string_view from, std::string_view to) const {
    std::string text = wire::write_concealed_auth(proof());
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  /// The same without the parameter of that name.
  std::string proof_without(char name) const {
    return without_member(wire::write_concealed_auth(proof()), std::string(1, name),
                          std::string_view("Concealed ").size());
  }
  /// One of its parameters, as it stands there.
  std::string parameter(char name) const {
    const std::string text = wire::write_concealed_auth(proof());
    const std::size_t at = text.find(std::string(1, name) + '=');
    return text.substr(at, text.find(", ", at) - at);
  }

  // --- requests ---

  quic::Request request() const {
    return {.method = "CONNECT",
            .authority = "localhost",
            .path = wire::expand_path(wire::kDefaultTemplate),
            .headers = {{"capsule-protocol", "?1"},
                        {"authorization", wire::write_concealed_auth(proof())},
                        {"qdt", std::string(kField)}},
            .body = {},
            .protocol = "connect-ip"};
  }
  quic::Request showing(const std::string& authorization) const {
    quic::Request request = this->request();
    request.headers[1].second = authorization;
    return request;
  }
  quic::Request showing(const wire::ConcealedAuth& auth) const {
    return showing(wire::write_concealed_auth(auth));
  }
  quic::Request asking(std::string_view field) const {
    quic::Request request = this->request();
    request.headers[2].second = field;
    return request;
  }
  /// With a further field behind the others.
  quic::Request adding(const std::string& name, const std::string& value) const {
    quic::Request request = this->request();
    request.headers.emplace_back(name, value);
    return request;
  }
  /// With another method, authority, path or protocol.
  quic::Request with(std::string quic::Request::* part, std::string_view value) const {
    quic::Request request = this->request();
    request.*part = value;
    return request;
  }

  SimWorld& world;
  SocketAddress address;
  quic::Node node;
  quic::StreamId stream = -1;  ///< of the latest request
};

}  // namespace qdt::testing
