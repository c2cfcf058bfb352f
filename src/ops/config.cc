#include "ops/config.h"

#include <algorithm>
#include <filesystem>

#include "ops/config_keys.h"
#include "ops/config_table.h"
#include "ops/text.h"
#include "ops/yaml_tree.h"
#include "os/file.h"
#include "os/file_advice.h"
#include "wire/token_keys.h"

namespace qdt::ops {
namespace {

constexpr std::size_t kGoodTokenBytes = 16;

void check_token(const std::string& token, ConfigReport& report) {
  if (!report.is_sound("token") || token.empty() || token.size() >= kGoodTokenBytes) return;
  report.add_note("token",
                  "shorter than 16 characters can be guessed, also by who has only seen a "
                  "handshake; make one with: openssl rand -base64 32");
}

// Whoever has the token has this device's key, too.
const DeviceConfig* device_of_token(const ServerConfig& config) {
  if (config.token.empty()) return nullptr;
  const auto key = wire::Ed25519Key(wire::derive_token_keys(config.token).client).public_key();
  const auto found = std::ranges::find(config.devices, key, &DeviceConfig::key);
  return found == config.devices.end() ? nullptr : &*found;
}

/// By what clients show who they are.
void check_auth(const ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("token") || !report.is_sound("devices")) return;
  if (config.token.empty() && report.is_given("devices") && config.devices.empty()) {
    report.add_fault("devices", "is empty, and there is no token: nobody could come in");
  }
  if (const DeviceConfig* device = device_of_token(config)) {
    report.add_fault("devices", "the key of " + device->name +
                                    " is made of the token; a device needs a key of its own: "
                                    "qdt-client key");
  }
  if (!report.is_sound("auth")) return;
  if (config.auth == Auth::kToken && config.token.empty()) {
    report.add_fault("auth", "found \"token\", and there is no token");
  } else if (config.auth == Auth::kToken && !config.devices.empty()) {
    report.add_note("devices",
                    "without effect: auth: token takes version 1 alone, which has no "
                    "keys");
  }
}

/// The same of a client.
void check_auth(const ClientConfig& config, ConfigReport& report) {
  for (const char* key : {"token", "key", "key_file", "server_key", "psk", "auth"}) {
    if (!report.is_sound(key)) return;
  }
  const bool has_key = config.key || !config.key_file.empty();
  if (config.key && !config.key_file.empty()) {
    return report.add_fault("key_file", "beside key; expected one of them");
  }
  if (has_key && !config.token.empty()) {
    return report.add_fault("token", "beside a key; expected one of them");
  }
  if (has_key && config.auth == Auth::kToken) {
    return report.add_fault("auth", "found \"token\", and there is a key; expected proof or auto");
  }
  if (!has_key && !config.server_keys.empty()) {
    return report.add_fault("server_key",
                            "beside token, of which both sides make their keys; expected a key");
  }
  if (!has_key && config.psk) {
    return report.add_fault("psk", "beside token, of which both sides make one; expected a key");
  }
  if (has_key && config.server_keys.empty() && config.insecure && report.is_sound("insecure")) {
    report.add_fault("insecure",
                     "with a key, and no server_key: anybody could be the server; expected "
                     "server_key, which the server's log shows at its start");
  }
}

template <typename Config>
void check_reassembly(const Config& config, ConfigReport& report) {
  if (!report.is_sound("max_reassembly_bytes") || !report.is_sound("mtu")) return;
  if (!config.mtu || config.max_reassembly_bytes >= *config.mtu) return;
  report.add_fault("max_reassembly_bytes", "found " + std::to_string(config.max_reassembly_bytes) +
                                               ", expected at least mtu, " +
                                               std::to_string(*config.mtu) +
                                               ", or no full packet could be put together");
}

void check_gateway(ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("gateway_ip") || !report.is_sound("pool_cidr")) return;
  const std::uint32_t network = config.pool_cidr.address().v4_number();
  const std::uint32_t broadcast = network | (0xffffffffu >> config.pool_cidr.length());
  if (!report.is_given("gateway_ip")) {
    config.gateway_ip = IpAddress::v4(network + 1);
    return;
  }
  const std::uint32_t gateway = config.gateway_ip.v4_number();
  const std::string found = "found \"" + config.gateway_ip.to_string() + "\", ";
  const std::string pool = config.pool_cidr.to_string();
  if (!config.pool_cidr.contains(config.gateway_ip)) {
    report.add_fault("gateway_ip", found + "expected an address in pool_cidr, " + pool);
  } else if (gateway == network) {
    report.add_fault("gateway_ip",
                     found + "the network address of " + pool + ", expected a host's");
  } else if (gateway == broadcast) {
    report.add_fault("gateway_ip",
                     found + "the broadcast address of " + pool + ", expected a host's");
  }
}

void check_gateway6(ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("gateway_ip6") || !report.is_sound("gateway_ip")) return;
  const Prefix& pool = *config.pool_cidr6;
  if (config.gateway_ip6.is_v4()) {  // not given
    const auto number = config.pool_cidr.number_of(config.gateway_ip);
    if (number) config.gateway_ip6 = pool.host(*number);
    return;
  }
  const std::string found = "found \"" + config.gateway_ip6.to_string() + "\", ";
  if (!pool.contains(config.gateway_ip6)) {
    report.add_fault("gateway_ip6",
                     found + "expected an address in pool_cidr6, " + pool.to_string());
  } else if (config.gateway_ip6 == pool.address()) {
    report.add_fault("gateway_ip6",
                     found + "the network address of " + pool.to_string() + ", expected a host's");
  }
}

/// IPv6 inside the tunnel: off without pool_cidr6.
void check_ipv6(ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("pool_cidr6")) return;
  if (!config.pool_cidr6) {
    if (report.is_sound("gateway_ip6") && config.gateway_ip6.is_v6()) {
      report.add_fault("gateway_ip6", "has no meaning alone, expected pool_cidr6 too");
    }
    const auto dns6 = std::ranges::find_if(config.dns, &IpAddress::is_v6);
    if (report.is_sound("dns") && dns6 != config.dns.end()) {
      report.add_fault(
          "dns", "found \"" + dns6->to_string() + "\", which clients reach only with pool_cidr6");
    }
    return;
  }
  const Prefix& pool = *config.pool_cidr6;
  if (report.is_sound("mtu") && config.mtu && *config.mtu < wire::kMinIpv6Mtu) {
    report.add_fault("mtu", "found " + std::to_string(*config.mtu) +
                                ", expected at least 1280, which IPv6 needs (pool_cidr6)");
  }
  if (!report.is_sound("pool_cidr")) return;
  if (128 - pool.length() < 32 - config.pool_cidr.length()) {
    return report.add_fault("pool_cidr6", "found \"" + pool.to_string() +
                                              "\", which has fewer addresses than pool_cidr, " +
                                              config.pool_cidr.to_string());
  }
  check_gateway6(config, report);
  if (report.is_sound("nat.ipv6") && config.nat_enabled && !config.nat_ipv6 &&
      Prefix(*IpAddress::parse("fc00::"), 7).contains(pool)) {
    report.add_note("nat.ipv6", "off, and pool_cidr6 is private: the world will not answer");
  }
}

/// Fills in a burst that was not given, and refuses one that limits nothing.
void check_rate(const std::string& group, double burst_seconds, RateLimit& limit,
                ConfigReport& report) {
  const std::string pps = group + ".pps";
  const std::string burst = group + ".burst";
  if (!report.is_sound(pps) || !report.is_sound(burst)) return;
  if (limit.per_second == 0) {
    if (report.is_given(burst) && !report.is_given(pps)) {
      report.add_fault(burst, "limits nothing alone, expected " + pps + " too");
    }
    limit.burst = 0;
  } else if (!report.is_given(burst) && report.is_given(pps)) {
    limit.burst = std::max(1.0, burst_seconds * limit.per_second);
  }
}

bool overlap(const SocketAddress& a, const SocketAddress& b) {
  return a.port == b.port &&
         (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified());
}

/// Refuses two HTTP addresses that cannot both be listened on. Metrics and health may be one.
void check_http_addresses(const ServerConfig& config, ConfigReport& report) {
  struct Listener {
    std::string key;
    const std::optional<SocketAddress>& address;
  };
  const Listener listeners[] = {{"metrics_addr", config.metrics_addr},
                                {"health_addr", config.health_addr},
                                {"pprof_addr", config.pprof_addr}};
  for (const Listener& a : listeners) {
    for (const Listener& b : listeners) {
      if (&b <= &a || !a.address || !b.address) continue;
      if (!report.is_sound(a.key) || !report.is_sound(b.key)) continue;
      const bool is_one_server = &b == &listeners[1] && *a.address == *b.address;
      if (is_one_server || !overlap(*a.address, *b.address)) continue;
      // The one that is in the file is the one to change.
      const bool blames_b = report.is_given(b.key);
      report.add_fault(blames_b ? b.key : a.key, (blames_b ? b : a).address->to_string() +
                                                     " overlaps " + (blames_b ? a : b).key + ", " +
                                                     (blames_b ? a : b).address->to_string() +
                                                     "; expected another port");
    }
  }
}

void check_exposure(const ServerConfig& config, ConfigReport& report) {
  if (config.pprof_addr && report.is_sound("pprof_addr") && report.is_sound("pprof_public") &&
      !config.pprof_addr->address.is_loopback()) {
    if (config.pprof_public) {
      report.add_note("pprof_addr", "other hosts can take profiles, and slow the server down");
    } else {
      report.add_fault("pprof_addr", "found \"" + config.pprof_addr->to_string() +
                                         "\", expected a loopback address such as 127.0.0.1:6060 "
                                         "unless pprof_public is true");
    }
  }
  if (config.metrics_addr && report.is_sound("metrics_addr") &&
      !config.metrics_addr->address.is_loopback()) {
    report.add_note("metrics_addr", "reachable from other hosts; let a firewall keep it to yours");
  }
}

void check_nat(const ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("nat.external_iface") || !report.is_sound("tun_name")) return;
  if (config.nat_external_iface.empty()) return;
  if (config.nat_external_iface == config.tun_name) {
    report.add_fault("nat.external_iface", "found \"" + config.tun_name +
                                               "\", which is tun_name, expected the interface to "
                                               "the world");
  }
}

/// Notes routes and services that one key offers to clients and another refuses.
void check_access(const ServerConfig& config, ConfigReport& report) {
  if (!report.is_sound("deny")) return;
  for (const Prefix& route : config.push_routes) {
    const auto denies = [&](const Prefix& denied) { return denied.contains(route); };
    const auto denied = std::ranges::find_if(config.deny, denies);
    if (denied == config.deny.end() || !report.is_sound("push_routes")) continue;
    report.add_note("push_routes", route.to_string() + " is pushed, and deny has " +
                                       denied->to_string() + ": clients reach nothing there");
  }
  if (config.host_access == HostAccess::kAll || !report.is_sound("host_access")) return;
  const auto note_service = [&](const char* key, const std::optional<SocketAddress>& address) {
    const bool is_inside =
        address && (config.pool_cidr.contains(address->address) ||
                    (config.pool_cidr6 && config.pool_cidr6->contains(address->address)));
    if (!is_inside || !report.is_sound(key)) return;
    report.add_note(key, address->to_string() +
                             " is an address in the tunnel, and clients reach it only with "
                             "host_access: all");
  };
  note_service("metrics_addr", config.metrics_addr);
  note_service("health_addr", config.health_addr);
  note_service("pprof_addr", config.pprof_addr);
}

void check(ServerConfig& config, ConfigReport& report) {
  check_auth(config, report);
  check_token(config.token, report);
  check_reassembly(config, report);
  check_gateway(config, report);
  check_ipv6(config, report);
  check_rate("handshake_rate", kBurstSeconds, config.handshake_rate, report);
  check_rate("handshake_ip_rate", kIpBurstSeconds, config.handshake_ip_rate, report);
  check_rate("rate_limit", kBurstSeconds, config.rate_limit, report);
  check_http_addresses(config, report);
  check_exposure(config, report);
  check_nat(config, report);
  check_access(config, report);
  if (config.handshake_ip_rate.per_second == 0 && report.is_sound("handshake_ip_rate.pps")) {
    report.add_note("handshake_ip_rate.pps", "unlimited: nothing slows down who guesses tokens");
  }
  if (config.max_sessions_per_client == 0 && report.is_sound("max_sessions_per_client")) {
    report.add_note("max_sessions_per_client",
                    "unlimited: one client may have every address of the pool");
  }
  if (report.is_given("session_shards")) {
    report.add_note("session_shards",
                    "has no effect: sessions live in their shard, without locks; see send_workers");
  }
}

/// The server of an example: a name that is nobody's (RFC 2606, RFC 6761), or says what to put
/// there.
void check_server_name(const ClientConfig& config, ConfigReport& report) {
  if (!report.is_sound("server")) return;
  constexpr std::string_view kReserved[] = {"example.com", "example.net", "example.org"};
  constexpr std::string_view kWords[] = {
      "yourserver", "yourserverip",  "yourserveraddress", "yourservercom",
      "yourdomain", "yourdomaincom", "yourhost",          "yourhostname",
      "yourip",     "youraddress",   "serverip",          "serveraddress",
      "replaceme",  "changeme",      "vpnyourdomaincom",  "yourserverdomain"};
  const std::string_view host = config.server_host;
  const bool is_reserved = std::ranges::any_of(kReserved, [host](std::string_view name) {
    return host == name || (host.ends_with(name) && host[host.size() - name.size() - 1] == '.');
  });
  const bool is_placeholder =
      std::ranges::find(kWords, without_separators(host)) != std::end(kWords);
  if (!is_reserved && !is_placeholder) return;
  report.add_fault("server", "found \"" + config.server_host +
                                 "\", the example's placeholder, expected the address or name by "
                                 "which this host reaches the server");
}

void check_routes(ClientConfig& config, ConfigReport& report) {
  if (config.routes.empty() || !report.is_sound("routes")) return;
  if (!report.is_given("route_mode")) {
    config.route_mode = Routing::kPool;
  } else if (config.route_mode == Routing::kEverything && report.is_sound("route_mode")) {
    report.add_fault("routes",
                     "everything goes into the tunnel already; expected route_mode: cidr, "
                     "for the server's pool and these, or none, for these alone");
  }
}

void check(ClientConfig& config, ConfigReport& report) {
  check_server_name(config, report);
  check_routes(config, report);
  check_auth(config, report);
  check_token(config.token, report);
  check_reassembly(config, report);
  if (!config.insecure || !report.is_sound("insecure")) return;
  if (config.tls_fingerprint) {
    report.add_note("insecure", "without effect beside tls_fingerprint, which decides alone");
  } else if (config.auth == Auth::kToken) {
    report.add_note("insecure",
                    "any server is trusted, and shown the token; tls_fingerprint is the safe way "
                    "to use a self-signed certificate");
  }
}

template <typename Config, typename Other>
Result<Loaded<Config>> parse(std::string_view text, const std::string& name,
                             const std::vector<Key<Config>>& keys,
                             const std::vector<Key<Other>>& foreign_keys,
                             std::string_view foreign_file) {
  const auto tree = parse_yaml(text);
  if (!tree) return fail(to_string(tree.error(), name));

  Loaded<Config> loaded;
  ConfigReport report;
  const auto store = [&](std::size_t index, const YamlNode& value) {
    return keys[index].store(loaded.config, value);
  };
  read_table(*tree, key_texts(keys), key_texts(foreign_keys), foreign_file, store, report);
  check(loaded.config, report);
  if (report.has_faults()) return fail(to_string(report.faults(), name));

  for (const Fault& note : report.notes()) loaded.notes.push_back(to_string(note, name));
  loaded.positions = report.given();
  return loaded;
}

template <typename Config>
using Parse = Result<Loaded<Config>> (*)(std::string_view, const std::string&);

template <typename Config>
Result<Loaded<Config>> load(const std::string& path, Parse<Config> parse_config) {
  const auto text = os::read_file(path, os::kMaxTextFileBytes);
  if (!text) return fail(text);
  auto loaded = parse_config(*text, path);
  if (!loaded) return loaded;
  // Not the user that the file names: whoever owns it would name himself.
  if (const auto ok = os::check_secret(path, "a secret"); !ok) return fail(ok);
  loaded->text = *text;
  if (os::is_readable_by_others(path)) {  // on Windows, where check_secret() refuses nothing
    loaded->notes.push_back(path + ": holds a secret, and others may read it; " +
                            os::how_to_hide_from_others(path));
  }
  return loaded;
}

}  // namespace

std::vector<Prefix> default_deny() {
  std::vector<Prefix> prefixes;
  for (const char* text :
       {"169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fe80::/10",
        "fd00:ec2::254/128", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128"}) {
    prefixes.push_back(*Prefix::parse(text));
  }
  return prefixes;
}

Result<Loaded<ServerConfig>> parse_server_config(std::string_view text, const std::string& name) {
  return parse(text, name, server_keys(), client_keys(), "client.yaml");
}

Result<Loaded<ClientConfig>> parse_client_config(std::string_view text, const std::string& name) {
  return parse(text, name, client_keys(), server_keys(), "server.yaml");
}

std::vector<std::string> changed_server_keys(std::string_view before, std::string_view after) {
  const std::vector<Key<ServerConfig>>& keys = server_keys();
  // The configuration that each key alone makes of the defaults.
  const auto effects = [&keys](std::string_view text) {
    std::vector<ServerConfig> configs(keys.size());
    ConfigReport report;
    const auto store = [&](std::size_t index, const YamlNode& value) {
      return keys[index].store(configs[index], value);
    };
    if (const auto tree = parse_yaml(text)) {
      read_table(*tree, key_texts(keys), {}, "", store, report);
    }
    return configs;
  };
  const auto old_effects = effects(before);
  const auto new_effects = effects(after);
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (old_effects[i] != new_effects[i]) changed.push_back(keys[i].text.name);
  }
  return changed;
}

Result<Loaded<ServerConfig>> load_server_config(const std::string& path) {
  auto loaded = load<ServerConfig>(path, parse_server_config);
  if (loaded) resolve_paths(loaded->config, path);
  return loaded;
}

void resolve_paths(ServerConfig& config, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (std::string* file : {&config.tls_cert, &config.tls_key}) {
    *file = (folder / *file).string();  // an absolute path stays as it is
  }
  std::string& root = config.decoy.root;
  if (!root.empty()) root = (folder / root).string();
}

void resolve_paths(ClientConfig& config, const std::string& path) {
  if (config.key_file.empty()) return;
  config.key_file = (std::filesystem::path(path).parent_path() / config.key_file).string();
}

Result<Loaded<ClientConfig>> load_client_config(const std::string& path) {
  auto loaded = load<ClientConfig>(path, parse_client_config);
  if (loaded) resolve_paths(loaded->config, path);
  if (!loaded || (loaded->config.up.empty() && loaded->config.down.empty())) return loaded;
  if (os::is_writable_by_others(path)) {
    return fail(path + ": runs programs (up, down), and others may write it; " +
                os::how_to_keep_others_from_writing(path));
  }
  return loaded;
}

}  // namespace qdt::ops
