#pragma once

#include <optional>
#include <string>
#include <utility>

#include "sim/nodes.h"
#include "sim/two_tunnels.h"

namespace qdt::testing {

/// What both ends of a session know beforehand.
struct Agreement {
  wire::Capabilities caps = wire::Capabilities::supported();
  std::optional<wire::ContextTerms> contexts;  ///< nothing: version 1's datagrams
  std::size_t mtu = 1350;
  IpAddress lease = IpAddress::v4(0x0a080002);
  std::optional<IpAddress> lease6 = *IpAddress::parse("fd00:8::2");
};

/// Version 2's datagrams with all that they may have but `sealed`.
inline Agreement with_contexts() {
  return {.contexts = wire::ContextTerms{.fragment = true, .control = true, .sealed = {}}};
}

inline Agreement with_sealed_contexts() {
  Agreement agreement = with_contexts();
  agreement.contexts->sealed = wire::derive_session_keys("agreed", {}, {}, agreement.caps.aead());
  return agreement;
}

/// As with any CONNECT-IP peer.
inline Agreement with_plain_contexts() {
  return {.caps = {}, .contexts = wire::ContextTerms{}};
}

/// An end of a session on a QUIC connection between peers that have nothing to negotiate: a request
/// of the client's, an answer, and both open what was agreed on.
class AgreedNode final : public TunnelNode, private tunnel::TunnelEvents {
 public:
  static inline const IpAddress kLease = Agreement().lease;
  static inline const IpAddress kLease6 = *Agreement().lease6;

  AgreedNode(Role role, const Agreement& agreement)
      : random(role == Role::kServer ? 1 : 2),
        role_(role),
        agreement_(agreement),
        tunnel_(tunnel_options(role), role == Role::kServer ? &test_server_tls() : nullptr, *this,
                random, counters, payloads) {}

  void connect(const SocketAddress& from, const SocketAddress& to, Timestamp now) {
    tunnel_.connect(test_client_tls(), "localhost", {from, to}, now);
  }
  tunnel::Tunnel& tunnel() override { return tunnel_; }
  bool has_session() const { return tunnel_.sessions().size() > 0; }
  tunnel::Session& session() { return **tunnel_.sessions().begin(); }
  plane::QuicPlane& plane() {
    return static_cast<tunnel::BasePlaneOf<plane::QuicPlane>&>(session().base()).plane;
  }

  SeededRandom random;
  std::optional<tunnel::SessionEnd> peer_reason;  // once the session is over

 private:
  static tunnel::Tunnel::Options tunnel_options(Role role) {
    tunnel::Tunnel::Options options{.role = role};
    if (role == Role::kClient) options.endpoint.connection.keep_alive = 10s;
    options.max_packet_bytes = 4096;
    return options;
  }
  void open(quic::Connection& connection, quic::StreamId stream) {
    tunnel_.open_session(
        {.role = role_,
         .id = 7,
         .keys = wire::derive_session_keys("agreed", {}, {}, agreement_.caps.aead()),
         .lease = agreement_.lease,
         .lease6 = agreement_.lease6,
         .mtu = agreement_.mtu,
         .caps = agreement_.caps,
         .contexts = agreement_.contexts,
         .send_queue = 1024,
         .max_reassembly_bytes = 256 * 1024},
        connection, stream, tunnel_.now());
  }

  void on_settings(tunnel::Tunnel&, quic::Connection& connection) override {
    if (role_ == Role::kServer) return;
    connection.request(
        {.method = "POST", .authority = "localhost", .path = "/", .headers = {}, .body = "x"});
  }
  void on_message(tunnel::Tunnel&, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message&) override {
    if (has_session()) return;
    open(connection, stream);
    if (role_ == Role::kServer) connection.respond(stream, {.keeps_stream_open = true});
  }
  void on_stream_closed(tunnel::Tunnel&, quic::Connection&, quic::StreamId) override {}
  void on_session_closed(tunnel::Tunnel&, tunnel::Session& session, tunnel::SessionEnd,
                         const std::string&) override {
    peer_reason = session.peer_reason;
  }
  void on_connection_closed(tunnel::Tunnel&, quic::Connection&, const quic::CloseReason&) override {
  }

  Role role_;
  Agreement agreement_;
  tunnel::Tunnel tunnel_;
};

/// Two of them, joined in memory.
class AgreedTunnels : public JoinedTunnels {
 public:
  explicit AgreedTunnels(const Agreement& agreement)
      : server(Role::kServer, agreement), client(Role::kClient, agreement) {
    client.connect(kClientAddress, kServerAddress, now);
    settle([this] { return client.has_session(); });
  }

  bool is_connected() const { return client.has_session(); }
  IpAddress lease() const { return AgreedNode::kLease; }
  IpAddress lease6() const { return AgreedNode::kLease6; }

  AgreedNode server;
  AgreedNode client;

 private:
  tunnel::Tunnel& server_tunnel() override { return server.tunnel(); }
  tunnel::Tunnel& client_tunnel() override { return client.tunnel(); }
};

}  // namespace qdt::testing
