#include "ops/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "os/file.h"
#include "os/file_advice.h"

namespace qdt::ops {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kToken = "token: 0123456789abcdef\n";

Loaded<ServerConfig> server(const std::string& yaml) {
  auto loaded = parse_server_config(kToken + yaml, "server.yaml");
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded.value_or(Loaded<ServerConfig>{});
}

Loaded<ClientConfig> client(const std::string& yaml) {
  auto loaded = parse_client_config(kToken + yaml, "client.yaml");
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded.value_or(Loaded<ClientConfig>{});
}

TEST(ServerConfig, NeedsOnlyAToken) {
  ServerConfig expected;
  expected.token = "0123456789abcdef";
  const auto loaded = server("");
  EXPECT_EQ(loaded.config, expected);
  EXPECT_THAT(loaded.notes, IsEmpty());
}

TEST(ServerConfig, ReadsEveryKey) {
  const ServerConfig config = server(R"(
addr: 192.0.2.1:4433
tls_cert: /etc/qdt/a.crt
tls_key: b.key
mtu: 1280
tun_name: vpn
tun_offloads: false
pool_cidr: 10.9.0.0/16
gateway_ip: 10.9.0.9
dns: [9.9.9.9]
metrics_addr: 127.0.0.1:1
health_addr: off
pprof_addr: "[::1]:6060"
log_level: warning
log_json: true
session_timeout: 2m
lease_grace: 1h
max_reassembly_bytes: 65536
max_sessions: 10
max_sessions_per_client: 3
send_workers: 4
send_queue: 100
send_batch: 32
congestion: cubic
send_datagram_queue: 256
udp_gso: false
udp_gro: false
nat: {enabled: false, external_iface: eth1}
)")
                                  .config;
  EXPECT_EQ(config.addr.to_string(), "192.0.2.1:4433");
  EXPECT_EQ(config.tls_cert, "/etc/qdt/a.crt");
  EXPECT_EQ(config.tls_key, "b.key");
  EXPECT_EQ(config.mtu, 1280u);
  EXPECT_EQ(config.tun_name, "vpn");
  EXPECT_FALSE(config.tun_offloads);
  EXPECT_EQ(config.pool_cidr.to_string(), "10.9.0.0/16");
  EXPECT_EQ(config.gateway_ip.to_string(), "10.9.0.9");
  EXPECT_THAT(config.dns, ElementsAre(IpAddress::v4(0x09090909)));
  EXPECT_EQ(config.metrics_addr->port, 1);
  EXPECT_EQ(config.health_addr, std::nullopt);
  EXPECT_EQ(config.pprof_addr->to_string(), "[::1]:6060");
  EXPECT_EQ(config.log_level, LogLevel::kWarning);
  EXPECT_TRUE(config.log_json);
  EXPECT_EQ(config.session_timeout, 2min);
  EXPECT_EQ(config.lease_grace, 1h);
  EXPECT_EQ(config.max_reassembly_bytes, 65536u);
  EXPECT_EQ(config.max_sessions, 10u);
  EXPECT_EQ(config.max_sessions_per_client, 3u);
  EXPECT_EQ(config.send_workers, 4u);
  EXPECT_EQ(config.send_queue, 100u);
  EXPECT_EQ(config.send_batch, 32u);
  EXPECT_EQ(config.congestion, CongestionControl::kCubic);
  EXPECT_EQ(config.send_datagram_queue, 256u);
  EXPECT_FALSE(config.udp_gso);
  EXPECT_FALSE(config.udp_gro);
  EXPECT_FALSE(config.nat_enabled);
  EXPECT_EQ(config.nat_external_iface, "eth1");
}

TEST(ServerConfig, ReadsWhatClientsReach) {
  const ServerConfig config = server(R"(
nat: {inbound: allow}
client_to_client: false
host_access: none
deny: [10.0.0.0/8, "fe80::/10", 127.0.0.0/8]
)")
                                  .config;
  EXPECT_EQ(config.nat_inbound, Inbound::kAllow);
  EXPECT_FALSE(config.client_to_client);
  EXPECT_EQ(config.host_access, HostAccess::kNone);
  ASSERT_EQ(config.deny.size(), 3u);
  EXPECT_EQ(config.deny[0].to_string(), "10.0.0.0/8");
  EXPECT_TRUE(server("deny: []\n").config.deny.empty());
}

TEST(ServerConfig, TellsWhatIsOfferedAndRefused) {
  EXPECT_THAT(
      server("push_routes: [10.7.0.0/16]\ndeny: [10.0.0.0/8]\n").notes,
      ElementsAre(HasSubstr("push_routes: 10.7.0.0/16 is pushed, and deny has 10.0.0.0/8")));
  EXPECT_THAT(server("push_routes: [10.7.0.0/16]\n").notes, IsEmpty());
  const std::string inside = "metrics_addr: 10.8.0.1:9435\n";
  EXPECT_THAT(server(inside).notes, Contains(HasSubstr("only with host_access: all")));
  EXPECT_THAT(server(inside + "host_access: all\n").notes,
              Not(Contains(HasSubstr("only with host_access: all"))));
}

TEST(ServerConfig, HasNoIpv6ByDefault) {
  const ServerConfig config = server("").config;
  EXPECT_EQ(config.pool_cidr6, std::nullopt);
  EXPECT_TRUE(config.nat_ipv6);
}

TEST(ServerConfig, ReadsIpv6) {
  const ServerConfig config = server(R"(
pool_cidr6: fd00:8::/64
gateway_ip6: fd00:8::ffff
dns: [1.1.1.1, "2606:4700:4700::1111"]
nat: {ipv6: off}
)")
                                  .config;
  EXPECT_EQ(config.pool_cidr6->to_string(), "fd00:8::/64");
  EXPECT_EQ(config.gateway_ip6.to_string(), "fd00:8::ffff");
  EXPECT_EQ(config.dns[1].to_string(), "2606:4700:4700::1111");
  EXPECT_FALSE(config.nat_ipv6);
}

TEST(ServerConfig, GivesTheIpv6GatewayTheNumberOfTheOther) {
  const auto config = server("pool_cidr6: fd00:8::/64\ngateway_ip: 10.8.0.9\n").config;
  EXPECT_EQ(config.gateway_ip6.to_string(), "fd00:8::9");
}

TEST(ServerConfig, NotesPrivateAddressesThatNobodyTranslates) {
  const std::string text = "pool_cidr6: fd00:8::/64\nnat: {ipv6: off}\n";
  EXPECT_THAT(server(text).notes, ElementsAre(testing::HasSubstr("the world will not answer")));
  EXPECT_TRUE(server("pool_cidr6: 2001:db8::/64\nnat: {ipv6: off}\n").notes.empty());
}

TEST(ServerConfig, ReadsRates) {
  const ServerConfig config = server(R"(
handshake_rate: {pps: 10, burst: 15}
handshake_ip_rate: {pps: 0.5, burst: 3, ttl: 1h}
rate_limit: {pps: 1000, burst: 5000}
)")
                                  .config;
  EXPECT_EQ(config.handshake_rate, (RateLimit{10, 15}));
  EXPECT_EQ(config.handshake_ip_rate, (RateLimit{0.5, 3}));
  EXPECT_EQ(config.handshake_ip_ttl, 60min);
  EXPECT_EQ(config.rate_limit, (RateLimit{1000, 5000}));
}

TEST(ServerConfig, DerivesABurstThatIsNotGiven) {
  const ServerConfig config = server(R"(
handshake_rate: {pps: 10}
handshake_ip_rate: {pps: 0.1}
rate_limit: {pps: 1000}
)")
                                  .config;
  EXPECT_EQ(config.handshake_rate, (RateLimit{10, 20}));
  EXPECT_EQ(config.handshake_ip_rate, (RateLimit{0.1, 2}));
  EXPECT_EQ(config.rate_limit, (RateLimit{1000, 2000}));
  EXPECT_EQ(server("handshake_rate: {burst: 7}").config.handshake_rate, (RateLimit{200, 7}));
}

TEST(ServerConfig, TakesZeroRatesForUnlimited) {
  const auto loaded = server("handshake_rate: {pps: 0}\nhandshake_ip_rate: {pps: 0, burst: 9}\n");
  EXPECT_EQ(loaded.config.handshake_rate, RateLimit{});
  EXPECT_EQ(loaded.config.handshake_ip_rate, RateLimit{});
  EXPECT_THAT(loaded.notes, ElementsAre("server.yaml:3:26: handshake_ip_rate.pps: unlimited: "
                                        "nothing slows down who guesses tokens"));
}

TEST(ServerConfig, PutsTheGatewayFirstInThePool) {
  EXPECT_EQ(server("pool_cidr: 172.16.4.0/22").config.gateway_ip.to_string(), "172.16.4.1");
}

TEST(ServerConfig, TakesOneAddressForMetricsAndHealth) {
  const auto config = server("health_addr: 127.0.0.1:9435").config;
  EXPECT_EQ(config.health_addr, config.metrics_addr);
}

TEST(ServerConfig, PushesNoDnsWhenToldSo) {
  EXPECT_THAT(server("dns: []").config.dns, IsEmpty());
}

TEST(ServerConfig, FollowsAnchors) {
  const auto config =
      server("handshake_rate: &limit {pps: 7, burst: 8}\nrate_limit: *limit\n").config;
  EXPECT_EQ(config.handshake_rate, config.rate_limit);
  EXPECT_EQ(config.rate_limit, (RateLimit{7, 8}));
}

TEST(ServerConfig, TakesWindowsFiles) {
  const auto loaded =
      parse_server_config("\xef\xbb\xbftoken: 0123456789abcdef\r\nmtu: 1400\r\n", "server.yaml");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.token, "0123456789abcdef");
  EXPECT_EQ(loaded->config.mtu, 1400u);
  EXPECT_EQ(parse_server_config("token: 0123456789abcdef\nmtu: auto\n", "s")->config.mtu,
            std::nullopt);
}

TEST(ServerConfig, KeepsATokenOfDigitsAsItIs) {
  const auto loaded = parse_server_config("token: 01234567890123456789\n", "server.yaml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.token, "01234567890123456789");
}

TEST(ServerConfig, NotesWhatIsValidButUnwise) {
  const auto loaded = parse_server_config(
      "token: short\nsession_shards: 4\npprof_addr: :6060\npprof_public: true\n"
      "metrics_addr: 0.0.0.0:9435\n",
      "server.yaml");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->notes,
              ElementsAre(HasSubstr("server.yaml:1:8: token: shorter than 16 characters"),
                          HasSubstr("server.yaml:3:13: pprof_addr: other hosts can"),
                          HasSubstr("server.yaml:5:15: metrics_addr: reachable from other hosts"),
                          HasSubstr("server.yaml:2:17: session_shards: has no effect")));
}

TEST(ClientConfig, NeedsServerAndToken) {
  ClientConfig expected;
  expected.token = "0123456789abcdef";
  expected.server_host = "vpn.corp.test";
  const auto loaded = client("server: vpn.corp.test");
  EXPECT_EQ(loaded.config, expected);
  EXPECT_THAT(loaded.notes, IsEmpty());
}

TEST(ClientConfig, ReadsEveryKey) {
  const ClientConfig config = client(R"(
server: "[2001:db8::1]:4433"
mtu: 1280
tun_name: vpn
tun_offloads: false
route_mode: cidr
dns: [127.0.0.1, "::1"]
log_level: debug
log_json: yes
tls_fingerprint: sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
client_id: my laptop
timeout: 1500ms
max_reassembly_bytes: 4096
udp_gso: false
udp_gro: false
caps: none
routes: [10.0.0.0/8, "fd00:7::/64"]
exclude: [10.1.0.0/16]
kill_switch: true
kill_switch_lan: true
up: [/bin/echo, a b]
down: [/bin/true]
)")
                                  .config;
  EXPECT_EQ(config.routes.size(), 2u);
  EXPECT_EQ(config.exclude[0].to_string(), "10.1.0.0/16");
  EXPECT_TRUE(config.kill_switch && config.kill_switch_lan);
  EXPECT_THAT(config.up, ElementsAre("/bin/echo", "a b"));
  EXPECT_THAT(config.down, ElementsAre("/bin/true"));
  EXPECT_EQ(config.server_host, "2001:db8::1");
  EXPECT_EQ(config.server_port, 4433);
  EXPECT_EQ(config.mtu, 1280u);
  EXPECT_EQ(config.tun_name, "vpn");
  EXPECT_FALSE(config.tun_offloads);
  EXPECT_EQ(config.route_mode, Routing::kPool);
  EXPECT_EQ(config.dns.size(), 2u);
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_TRUE(config.log_json);
  EXPECT_FALSE(config.udp_gso);
  EXPECT_FALSE(config.udp_gro);
  EXPECT_EQ(config.tls_fingerprint->at(31), 0xff);
  EXPECT_EQ(config.client_id, "my laptop");
  EXPECT_EQ(config.timeout, 1500ms);
  EXPECT_EQ(config.max_reassembly_bytes, 4096u);
  EXPECT_FALSE(config.offers_caps);
}

TEST(ClientConfig, TakesRoutesAloneForTheirMode) {
  EXPECT_EQ(client("server: a\nroutes: [10.0.0.0/8]\n").config.route_mode, Routing::kPool);
  EXPECT_EQ(client("server: a\nroutes: []\n").config.route_mode, Routing::kEverything);
}

TEST(ClientConfig, WarnsOfInsecurity) {
  // The proofs of both sides make up for it.
  EXPECT_TRUE(client("server: a\ninsecure: true\n").notes.empty());
  EXPECT_THAT(client("server: a\ninsecure: true\nauth: token\n").notes,
              ElementsAre(HasSubstr("client.yaml:3:11: insecure: any server is trusted")));
  const std::string pinned = "tls_fingerprint: sha256:" + std::string(64, 'a') + "\n";
  EXPECT_THAT(client("server: a\ninsecure: true\n" + pinned).notes,
              ElementsAre(HasSubstr("insecure: without effect beside tls_fingerprint")));
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("qdt_" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder_);
  }
  ~ConfigFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) {
    const std::string path = (folder_ / "server.yaml").string();
    EXPECT_TRUE(os::create_private_file(path, text));
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigFile, IsWhatRelativePathsStartFrom) {
  const auto loaded =
      load_server_config(write("token: 0123456789abcdef\ntls_cert: tls/a.crt\ntls_key: /b.key\n"));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.tls_cert, (folder_ / "tls/a.crt").string());
  EXPECT_EQ(loaded->config.tls_key, (folder_ / "/b.key").string());
  EXPECT_THAT(loaded->notes, IsEmpty());
}

TEST_F(ConfigFile, IsNamedInErrors) {
  const std::string path = write("mtu: big\n");
  const auto loaded = load_server_config(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, testing::StartsWith(path + ":1:6: mtu: found \"big\""));
  EXPECT_THAT(load_client_config("/no/such.yaml").error().message, HasSubstr("/no/such.yaml"));
}

TEST_F(ConfigFile, ShouldBePrivate) {
  const std::string path = (folder_ / "public.yaml").string();
  std::ofstream(path) << "token: 0123456789abcdef\n";
  std::filesystem::permissions(path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto loaded = load_server_config(path);
  // Windows warns.
  const std::string told = loaded ? loaded->notes.at(0) : loaded.error().message;
  EXPECT_THAT(told, HasSubstr("holds a secret, and others may read it; " +
                              os::how_to_hide_from_others(path)));
}

}  // namespace
}  // namespace qdt::ops
