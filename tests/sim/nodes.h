#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connector.h"
#include "server/connect_service.h"
#include "support/sim_world.h"
#include "support/test_certificate.h"

namespace qdt::testing {

using Packet = std::vector<std::uint8_t>;

inline quic::Connection& connection_of(const tunnel::Session& session) {
  return tunnel::Tunnel::quic_plane_of(session)->connection();
}

/// A tunnel in the simulated world; what it would hand to its TUN device is kept, or handed to
/// `on_packet`.
class TunnelNode : public SimNode {
 public:
  explicit TunnelNode(std::size_t send_queue = 1024) : payloads(send_queue) {}

  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue&, Timestamp now) override {
    tunnel().receive(path, ecn, payload, now);
    collect(now);
  }
  bool send(UdpSendQueue& out, Timestamp now) override {
    const bool is_done = tunnel().send(now);
    for (const UdpBurst& burst : tunnel().payloads().bursts()) {
      for_each_payload(burst, [&](Bytes payload) {
        append(out.next_payload(), payload);
        out.push(burst.path, burst.ecn, payload.size());
      });
      tunnel().payloads().pop(1);
      if (out.payload_count() > kMaxPayloads) return false;
    }
    return is_done;
  }
  Timestamp next_timeout() override { return tunnel().next_timeout(); }
  void handle_timeouts(Timestamp now) override {
    tunnel().handle_timeouts(now);
    collect(now);
  }

  /// A packet from this node's TUN device.
  void inject(Bytes packet, Timestamp now) {
    tunnel().forward(packet, now);
    collect(now);
  }

  virtual tunnel::Tunnel& tunnel() = 0;
  const DropCounters& drops() const { return counters.drops; }

  tunnel::Counters counters;
  UdpSendQueue payloads;
  std::vector<Packet> delivered;
  /// Must not inject anything from within.
  std::function<void(Bytes packet, Timestamp now)> on_packet;

 protected:
  void collect(Timestamp now) {
    for (const Bytes packet : tunnel().packets()) {
      if (on_packet) {
        on_packet(packet, now);
      } else {
        delivered.emplace_back(packet.begin(), packet.end());
      }
    }
    tunnel().packets().clear();
  }

 private:
  static constexpr std::size_t kMaxPayloads = 100;
};

class LastLine final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view line) override { text = line; }
};

struct ServerNodeOptions {
  std::string token = "secret-token";
  Prefix pool = *Prefix::parse("10.8.0.0/24");
  std::optional<server::Ipv6Pool> ipv6;
  std::size_t mtu = 1350;
  std::size_t version1_mtu = kMaxPacketBytes;
  wire::Capabilities caps = wire::Capabilities::supported();
  Duration lease_grace = 10min;
  std::size_t max_kept_leases = 0;  // of an address
  access::Admission::Options admission;
  tunnel::Tunnel::Options tunnel;
  RateLimit rate_limit;
  std::size_t max_reassembly_bytes = 256 * 1024;
  std::size_t send_queue = 1024;
  std::size_t send_datagram_queue = 1024;
  bool needs_direct = false;
  std::shared_ptr<const server::Decoy> decoy;
  bool takes_version1 = true;
  std::optional<wire::Ed25519Seed> identity;  // with which version 2 is spoken
  bool announces_connect = false;             // though it does not speak it
  server::Enroller enroller;
};

class ServerNode final : public TunnelNode {
 public:
  explicit ServerNode(const ServerNodeOptions& options = {}, std::uint64_t seed = 1)
      : TunnelNode(options.send_datagram_queue),
        random(seed),
        admission(with_token(options)),
        leases(options.pool, IpAddress::v4(options.pool.address().v4_number() + 1), 1,
               options.ipv6),
        book(leases, options.lease_grace, options.max_kept_leases),
        service({},
                {.offer = {.mtu = options.mtu,
                           .caps = options.caps,
                           .pool = options.pool,
                           .gateway = IpAddress::v4(options.pool.address().v4_number() + 1),
                           .ipv6 = options.ipv6,
                           .pushed = {.dns = {IpAddress::v4(0x01010101)},
                                      .routes = {},
                                      .dns_domains = {}},
                           .needs_direct = options.needs_direct},
                 .send_queue = options.send_queue,
                 .max_reassembly_bytes = options.max_reassembly_bytes,
                 .decoy = options.decoy,
                 .version2 = version2(options),
                 .takes_version1 = options.takes_version1,
                 .version1_mtu = options.version1_mtu,
                 .enroller = options.enroller,
                 .post = [this](auto task) { task(tunnel_); }},
                {.admission = admission, .leases = leases, .book = book}, handshakes, random,
                logger),
        tunnel_(with_role(options, leases), &test_server_tls(), service, random, counters,
                payloads) {
    admission.set_ready(true);
  }
  tunnel::Tunnel& tunnel() override { return tunnel_; }

  SeededRandom random;
  LastLine logger;
  access::Admission admission;
  server::LeasePool leases;
  server::LeaseBook book;
  tunnel::HandshakeCounters handshakes;
  server::ConnectService service;

 private:
  static access::Admission::Options with_token(const ServerNodeOptions& options) {
    auto admission = options.admission;
    admission.token = options.token;
    admission.limits.session_rate = options.rate_limit;
    return admission;
  }
  static std::optional<server::Reception::Options::Version2> version2(
      const ServerNodeOptions& options) {
    if (!options.identity) return std::nullopt;
    return server::Reception::Options::Version2{
        .identity = *options.identity,
        .identity_key = wire::Ed25519Key(*options.identity).public_key()};
  }
  static tunnel::Tunnel::Options with_role(const ServerNodeOptions& options,
                                           const server::LeasePool& leases) {
    tunnel::Tunnel::Options tunnel = options.tunnel;
    tunnel.role = Role::kServer;
    tunnel.is_lease = [&leases](const IpAddress& address) {
      return leases.owner(address).has_value();
    };
    tunnel.endpoint.connection.takes_extended_connect =
        options.identity.has_value() || options.announces_connect;
    return tunnel;
  }

  tunnel::Tunnel tunnel_;
};

class ClientNode final : public TunnelNode, private client::ConnectorEvents {
 public:
  explicit ClientNode(client::Connector::Options options = {}, std::uint64_t seed = 2,
                      const quic::ConnectionOptions& connection = {.keep_alive = 10s})
      : random(seed),
        connector(with_defaults(options), test_client_tls(), *this, random),
        tunnel_(with_role(connection), nullptr, connector, random, counters, payloads) {}

  void connect(const SocketAddress& from, const SocketAddress& to, Timestamp now) {
    connector.connect(tunnel_, {from, to}, ++attempts_, now);
  }
  tunnel::Tunnel& tunnel() override { return tunnel_; }
  tunnel::Session& session() { return **tunnel_.sessions().begin(); }

  SeededRandom random;
  client::Connector connector;
  std::optional<wire::ConnectResponse> response;
  std::optional<client::Ending> ending;
  bool is_path_narrow = false;
  int silences = 0;
  int route_changes = 0;

 private:
  static client::Connector::Options with_defaults(client::Connector::Options options) {
    if (options.token.empty()) options.token = "secret-token";
    options.server_name = "localhost";
    return options;
  }
  static tunnel::Tunnel::Options with_role(const quic::ConnectionOptions& connection) {
    tunnel::Tunnel::Options options{.role = Role::kClient};
    options.endpoint.connection = connection;
    options.max_packet_bytes = 4096;
    return options;
  }
  void on_connected(client::AttemptId, const UdpPath&,
                    const wire::ConnectResponse& connected) override {
    response = connected;
  }
  void on_routes(client::AttemptId, const wire::ConnectResponse& changed) override {
    response = changed;
    ++route_changes;
  }
  void on_silence(client::AttemptId) override { ++silences; }
  void on_narrow_path(client::AttemptId) override { is_path_narrow = true; }
  void on_ended(client::AttemptId, const client::Ending& ended) override { ending = ended; }

  client::AttemptId attempts_ = 0;
  tunnel::Tunnel tunnel_;
};

/// A UDP packet of `bytes` in all, of its addresses' kind; its payload is filled with `fill`.
inline Packet udp_packet(const IpAddress& source, const IpAddress& destination, std::size_t bytes,
                         std::uint8_t fill = 0, bool dont_fragment = false) {
  Packet packet(bytes, fill);
  std::fill_n(packet.begin(), source.is_v4() ? 28 : 48, std::uint8_t{0});
  if (source.is_v6()) {
    packet[0] = 0x60;
    store_be<std::uint16_t>(&packet[4], static_cast<std::uint16_t>(bytes - 40));
    packet[6] = wire::kProtocolUdp;
    packet[7] = 64;
    append(MutableBytes(packet).subspan(8), source.bytes());
    append(MutableBytes(packet).subspan(24), destination.bytes());
    return packet;
  }
  packet[0] = 0x45;
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(bytes));
  packet[6] = dont_fragment ? 0x40 : 0;
  packet[8] = 64;
  packet[9] = wire::kProtocolUdp;
  append(MutableBytes(packet).subspan(12), source.bytes());
  append(MutableBytes(packet).subspan(16), destination.bytes());
  return packet;
}

inline const SocketAddress kServerAddress{IpAddress::v4(0xc0000201), 443};
inline const SocketAddress kClientAddress{IpAddress::v4(0xc6336401), 40000};
inline const SocketAddress kClient2Address{IpAddress::v4(0xc6336402), 40000};
inline const IpAddress kInternet = IpAddress::v4(0x08080808);
inline const IpAddress kInternet6 = *IpAddress::parse("2001:db8::8");
inline const server::Ipv6Pool kIpv6Pool{*Prefix::parse("fd00:8::/64"),
                                        *IpAddress::parse("fd00:8::1")};

}  // namespace qdt::testing
