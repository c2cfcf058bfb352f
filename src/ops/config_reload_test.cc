#include "ops/config_reload.h"

#include <gtest/gtest.h>

#include <string>

#include "ops/config_keys.h"

namespace qdt::ops {
namespace {

ServerConfig parsed(const std::string& lines) {
  const auto loaded = parse_server_config(lines, "server.yaml");
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  return loaded ? loaded->config : ServerConfig{};
}

struct Change {
  std::string key;
  std::string line;
};

// Another value of each key than the one that it has by default.
const Change kChanges[] = {
    {"token", "token: another-token-of-a-test"},
    {"devices", "devices: [{name: a, key: 'ed25519:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}]"},
    {"auth", "auth: proof"},
    {"authority", "authority: [vpn.test]"},
    {"path", "path: /ip"},
    {"addr", "addr: ':444'"},
    {"tls_cert", "tls_cert: other.crt"},
    {"tls_key", "tls_key: other.key"},
    {"tun_name", "tun_name: qdt7"},
    {"mtu", "mtu: 1400"},
    {"pool_cidr", "pool_cidr: 10.9.0.0/24"},
    {"dns", "dns: [9.9.9.9]"},
    {"dns_domains", "dns_domains: [corp.example]"},
    {"push_routes", "push_routes: [192.168.7.0/24]"},
    {"deny", "deny: []"},
    {"decoy", "decoy: off"},
    {"max_sessions", "max_sessions: 7"},
    {"max_sessions_per_client", "max_sessions_per_client: 3"},
    {"session_timeout", "session_timeout: 90s"},
    {"lease_grace", "lease_grace: 1m"},
    {"handshake_rate.pps", "handshake_rate: {pps: 7}"},
    {"handshake_rate.burst", "handshake_rate: {burst: 7}"},
    {"handshake_ip_rate.pps", "handshake_ip_rate: {pps: 7}"},
    {"handshake_ip_rate.burst", "handshake_ip_rate: {burst: 7}"},
    {"handshake_ip_rate.ttl", "handshake_ip_rate: {ttl: 7m}"},
    {"rate_limit.pps", "rate_limit: {pps: 7}"},
    {"rate_limit.burst", "rate_limit: {pps: 1, burst: 7}"},
    {"send_workers", "send_workers: 2"},
    {"data_plane", "data_plane: quic"},
    {"log_level", "log_level: error"},
    {"log_json", "log_json: true"},
};

TEST(Reloaded, TakesWhatIsSaidToBeTakenAndNothingElse) {
  for (const Change& change : kChanges) {
    const std::string token = change.key == "token" ? "" : "token: a-token-of-a-test\n";
    const ServerConfig start = parsed("token: a-token-of-a-test\n");
    const ServerConfig found = parsed(token + change.line + "\n");
    ASSERT_NE(start, found) << change.key;
    const ServerConfig now = reloaded(start, found);
    EXPECT_EQ(now, is_taken_at_once(change.key) ? found : start) << change.key;
  }
}

TEST(Reloaded, KeepsNoValueOfTheFileBeforeLast) {
  const ServerConfig start = parsed("token: a-token-of-a-test\n");
  const ServerConfig limited = parsed("token: a-token-of-a-test\nmax_sessions: 7\n");
  EXPECT_EQ(reloaded(reloaded(start, limited), start), start);
}

TEST(Reloaded, NamesKeysThatExist) {
  std::size_t taken = 0;
  for (const Key<ServerConfig>& key : server_keys()) taken += is_taken_at_once(key.text.name);
  std::size_t listed = 0;
  for (const Change& change : kChanges) listed += is_taken_at_once(change.key);
  EXPECT_EQ(taken, listed);
  EXPECT_EQ(
      keys_taken_at_once(),
      "token, devices, tls_cert, tls_key, dns, dns_domains, push_routes, decoy, max_sessions, "
      "max_sessions_per_client, handshake_rate, handshake_ip_rate, rate_limit, log_level");
}

}  // namespace
}  // namespace qdt::ops
