#include "ops/config_reload.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/words.h"
#include "ops/config_keys.h"

namespace qdt::ops {

// A test has both of these say the same.
bool is_taken_at_once(std::string_view key) {
  constexpr std::array<std::string_view, 18> kKeys = {"token",
                                                      "devices",
                                                      "tls_cert",
                                                      "tls_key",
                                                      "dns",
                                                      "dns_domains",
                                                      "push_routes",
                                                      "decoy",
                                                      "max_sessions",
                                                      "max_sessions_per_client",
                                                      "handshake_rate.pps",
                                                      "handshake_rate.burst",
                                                      "handshake_ip_rate.pps",
                                                      "handshake_ip_rate.burst",
                                                      "handshake_ip_rate.ttl",
                                                      "rate_limit.pps",
                                                      "rate_limit.burst",
                                                      "log_level"};
  return std::ranges::find(kKeys, key) != kKeys.end();
}

std::string keys_taken_at_once() {
  std::vector<std::string> names;
  for (const Key<ServerConfig>& key : server_keys()) {
    if (!is_taken_at_once(key.text.name)) continue;
    const std::string name = key.text.name.substr(0, key.text.name.find('.'));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return list_in_words(names);
}

ServerConfig reloaded(const ServerConfig& start, const ServerConfig& found) {
  ServerConfig config = start;
  config.token = found.token;
  config.devices = found.devices;
  config.tls_cert = found.tls_cert;
  config.tls_key = found.tls_key;
  config.dns = found.dns;
  config.dns_domains = found.dns_domains;
  config.push_routes = found.push_routes;
  config.decoy = found.decoy;
  config.max_sessions = found.max_sessions;
  config.max_sessions_per_client = found.max_sessions_per_client;
  config.handshake_rate = found.handshake_rate;
  config.handshake_ip_rate = found.handshake_ip_rate;
  config.handshake_ip_ttl = found.handshake_ip_ttl;
  config.rate_limit = found.rate_limit;
  config.log_level = found.log_level;
  return config;
}

}  // namespace qdt::ops
