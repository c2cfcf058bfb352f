#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "quic/endpoint_fixture.h"
#include "sim/member_list.h"
#include "sim/nodes.h"
#include "wire/capsule.h"
#include "wire/concealed_auth.h"
#include "wire/ip_capsule.h"
#include "wire/server_proof.h"
#include "wire/session_field.h"

namespace qdt::testing {

/// A server of version 2 whose QUIC and TLS are real, and which says what it likes: its answers are
/// those of an honest one, but for what a test changes. It has the server's key.
class HostileServer {
 public:
  static constexpr wire::Ed25519Seed kIdentity{42};
  static inline const SocketAddress kAddress{IpAddress::v4(0xcb007109), 443};
  using Bytes = std::vector<std::uint8_t>;

  explicit HostileServer(SimWorld& sim_world) : world(sim_world) {
    world.attach(kAddress, node, {.delay = 10ms});
  }

  /// The request of a client that is on its way.
  void take_request() {
    ASSERT_TRUE(world.run_until([&] { return node.last_stream != -1; }, 5s));
    stream = node.last_stream;
    const quic::Message& message = node.last_message;
    const auto field = wire::parse_session_request(message.header(wire::kSessionFieldName));
    const auto auth = wire::parse_concealed_auth(message.header("authorization"));
    ASSERT_TRUE(field);
    ASSERT_TRUE(auth);
    asked = *field;
    client_key = auth->public_key;
  }
  /// Answers it, and says `bytes` behind that.
  void answer(const quic::Response& response, const Bytes& bytes) {
    ASSERT_TRUE(node.connection->respond(stream, response));
    say(bytes);
  }
  void say(const Bytes& bytes) {
    // The client may have ended it all by now.
    if (node.connection != nullptr && !bytes.empty()) {
      std::ignore = node.connection->send(stream, bytes);
    }
    world.run_for(200ms);
  }

  // --- answers ---

  /// What an honest server would say, proof included.
  wire::SessionAnswer right_answer() const {
    wire::SessionAnswer answer{.nonce = {1},
                               .caps = asked.caps,
                               .mtu = 1350,
                               .gateways = {IpAddress::v4(0x0a080001)},
                               .pools = {*Prefix::parse("10.8.0.0/24")},
                               .dns = {IpAddress::v4(0x01010101)},
                               .domains = {},
                               .key = {}};
    return signed_by(kIdentity, answer);
  }
  /// The proof of a server with that key, over what both said and `change` does to it.
  wire::SessionAnswer signed_by(const wire::Ed25519Seed& seed, wire::SessionAnswer answer,
                                void (*change)(wire::ServerProof&) = nullptr) const {
    wire::ServerProof proof{
        .client_nonce = asked.nonce, .server_nonce = answer.nonce, .client_key = client_key};
    node.connection->exporter().derive(wire::kServerProofLabel, {}, proof.exported);
    if (change != nullptr) change(proof);
    const wire::Ed25519Key key(seed);
    answer.key = key.public_key();
    answer.proof = wire::sign_server_proof(key, proof);
    return answer;
  }
  static quic::Response response(std::string_view field, int status = 200) {
    return {.status = status,
            .headers = {{"capsule-protocol", "?1"},
                        {std::string(wire::kSessionFieldName), std::string(field)}},
            .body = {},
            .page = nullptr,
            .keeps_stream_open = true};
  }
  quic::Response response(const wire::SessionAnswer& answer) const {
    return response(wire::write_session_field(answer));
  }
  /// The right answer's field with further members, or with `to` in place of `from`.
  std::string field_and(std::string_view more) const {
    return wire::write_session_field(right_answer()) + std::string(more);
  }
  std::string field_with(std::string_view from, std::string_view to) const {
    std::string text = field_and("");
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    return text.replace(at, from.size(), to);
  }
  /// The same without the member of that name.
  std::string field_without(std::string_view key) const {
    return without_member(field_and(""), key);
  }

  static Bytes capsule(std::uint64_t type, const Bytes& value) {
    Bytes capsule;
    wire::append_capsule(capsule, type, value);
    return capsule;
  }
  /// Addresses, or the routes of everything.
  static Bytes assign(const std::vector<Prefix>& prefixes) {
    std::vector<wire::CapsuleAddress> addresses;
    for (const Prefix& prefix : prefixes) addresses.push_back({.request_id = 0, .prefix = prefix});
    return capsule(wire::capsule::kAddressAssign, wire::write_addresses(addresses));
  }
  static Bytes routes() {
    const wire::IpRange all[] = {{.first = IpAddress::v4(0), .last = IpAddress::v4(0xffffffff)}};
    return capsule(wire::capsule::kRouteAdvertisement, wire::write_routes(all));
  }
  static Bytes right_capsules() {
    Bytes capsules = assign({{IpAddress::v4(0x0a080002), 32}});
    const Bytes more = routes();
    capsules.insert(capsules.end(), more.begin(), more.end());
    return capsules;
  }

  SimWorld& world;
  quic::Node node{{.connection = {.takes_extended_connect = true}}, &test_server_tls(), 5};
  quic::StreamId stream = -1;  ///< of the request
  wire::SessionRequest asked;
  wire::Ed25519PublicKey client_key{};
};

}  // namespace qdt::testing
