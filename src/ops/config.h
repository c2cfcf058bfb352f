#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/auth.h"
#include "base/congestion_control.h"
#include "base/host_access.h"
#include "base/ip_address.h"
#include "base/logger.h"
#include "base/name_server.h"
#include "base/rate_limit.h"
#include "base/result.h"
#include "base/routing.h"
#include "base/time.h"
#include "ops/fault.h"
#include "wire/ed25519.h"
#include "wire/handshake.h"
#include "wire/request_target.h"
#include "wire/token_keys.h"

namespace qdt::ops {

/// How packets travel: as both sides can, or never as the other.
enum class DataPlane { kAuto, kQuic, kDirect };

/// The site that the server shows to visitors without the token.
struct DecoyConfig {
  enum class Kind {
    kPage,    ///< a plain page, the same for every path
    kRoot,    ///< the files of a folder
    kProxy,   ///< the answers of another web server on this host
    kStatus,  ///< a status, the same for every path
    kOff,     ///< refusals in the protocol's own words
  };
  Kind kind = Kind::kPage;
  std::string root;
  SocketAddress proxy;
  int status = 0;
  std::string server;  ///< the `server` header; empty: none

  bool operator==(const DecoyConfig&) const = default;
};

/// A device that the server knows.
struct DeviceConfig {
  std::string name;
  std::optional<wire::Ed25519PublicKey> key;
  std::optional<wire::PresharedKey> psk;
  /// For clients that are not ours: a name, which may be empty, and the SHA-256 of a secret.
  std::string login;
  std::optional<std::array<std::uint8_t, 32>> secret_digest;

  bool operator==(const DeviceConfig&) const = default;
};

/// Whether connections from outside reach clients; kByPool: where their addresses are routed.
enum class Inbound { kByPool, kRefuse, kAllow };

/// Networks that clients do not reach unless the configuration says otherwise: link-local
/// addresses, and those at which clouds tell a host its secrets (Alibaba, Azure, Oracle; Amazon's,
/// Google's and Oracle's for IPv6).
std::vector<Prefix> default_deny();

/// server.yaml, checked. The defaults are those of a missing key; what each key means is in
/// config_keys.cc, and for users in server.example.yaml.
struct ServerConfig {
  SocketAddress addr{IpAddress::unspecified(/*is_v4=*/false), 443};
  std::string tls_cert = "server.crt";
  std::string tls_key = "server.key";
  std::string token;  ///< empty: there are devices alone
  std::vector<DeviceConfig> devices;
  Auth auth = Auth::kAuto;
  std::vector<wire::Authority> authority;  ///< that clients may name; empty: any
  std::string path{wire::kDefaultTemplate};
  std::optional<std::size_t> mtu;  ///< at most; none: what the path carries
  std::string tun_name = "qdt0";
  bool tun_offloads = true;
  Prefix pool_cidr{IpAddress::v4(0x0a080000), 24};
  IpAddress gateway_ip = IpAddress::v4(0x0a080001);  ///< in pool_cidr, a host's address
  std::optional<Prefix> pool_cidr6;  ///< none: no IPv6 in the tunnel; as many hosts as pool_cidr
  IpAddress gateway_ip6;             ///< with pool_cidr6: in it, a host's address
  std::vector<IpAddress> dns = {IpAddress::v4(0x01010101), IpAddress::v4(0x08080808)};
  std::vector<std::string> dns_domains;
  std::optional<SocketAddress> metrics_addr = SocketAddress{IpAddress::v4(0x7f000001), 9435};
  std::size_t metrics_users = 2000;
  std::optional<SocketAddress> health_addr = SocketAddress{IpAddress::v4(0x7f000001), 9436};
  std::optional<SocketAddress> pprof_addr;
  bool pprof_public = false;
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = false;
  std::string user = "qdt";      ///< root: it stays root
  Duration lease_grace = 10min;  ///< 0: no lease is kept
  Duration session_timeout{};    ///< 0: an idle session stays as long as its connection lives
  std::size_t max_reassembly_bytes = 256 << 10;  ///< at least mtu, where that is given
  std::size_t max_sessions = 0;                  ///< 0: unlimited
  std::size_t max_sessions_per_client = 16;      ///< 0: unlimited
  DecoyConfig decoy;
  RateLimit handshake_rate{200, 400};
  RateLimit handshake_ip_rate{5, 100};
  Duration handshake_ip_ttl = 10min;  ///< how long an address's bucket is remembered
  RateLimit rate_limit;
  std::size_t send_workers = 0;  ///< shards; 0: one per processor
  std::size_t send_queue = 1024;
  std::size_t send_batch = 16;
  std::size_t send_datagram_queue = 1024;
  CongestionControl congestion = CongestionControl::kBbr;
  wire::AeadPreference aead = wire::AeadPreference::kAuto;
  DataPlane data_plane = DataPlane::kAuto;
  bool has_shaping = true;  ///< of the direct plane
  bool udp_gso = true;
  bool udp_gro = true;
  bool nat_enabled = true;
  std::string nat_external_iface;  ///< empty: any
  bool nat_ipv6 = true;            ///< with nat_enabled and pool_cidr6
  std::vector<Prefix> push_routes;
  Inbound nat_inbound = Inbound::kByPool;
  bool client_to_client = true;
  HostAccess host_access = HostAccess::kPing;
  std::vector<Prefix> deny = default_deny();  ///< networks that clients do not reach

  bool operator==(const ServerConfig&) const = default;
};

/// client.yaml, checked.
struct ClientConfig {
  /// A name in lower-case ASCII, perhaps with its final dot, or an address without brackets: what
  /// is resolved.
  std::string server_host;
  std::uint16_t server_port = 443;
  std::string token;  ///< empty: there is a key
  Auth auth = Auth::kAuto;
  std::optional<wire::Ed25519Seed> key;  ///< of this device
  std::string key_file;                  ///< in place of `key`; empty: none
  std::vector<wire::Ed25519PublicKey> server_keys;
  std::optional<wire::PresharedKey> psk;
  std::string path{wire::kDefaultTemplate};
  std::optional<std::size_t> mtu;  ///< at most; none: what the path carries
  std::string tun_name = "qdt0";
  bool tun_offloads = true;
  Routing route_mode = Routing::kEverything;
  std::vector<NameServer> dns;           ///< empty: what the server pushes
  bool has_dns = true;                   ///< false: the host's name servers stay as they are
  std::vector<std::string> dns_domains;  ///< empty: what the server pushes
  bool dns_required = false;
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = false;
  std::string user = "qdt";  ///< as the server's
  bool insecure = false;
  /// SHA-256 of the server's certificate (DER): it alone is trusted. None: the system's CAs decide.
  std::optional<std::array<std::uint8_t, 32>> tls_fingerprint;
  std::string client_id;  ///< empty: the app takes the host's name
  Duration timeout = 10s;
  bool wait_for_server = false;
  Duration keepalive = 20s;
  CongestionControl congestion = CongestionControl::kBbr;
  wire::AeadPreference aead = wire::AeadPreference::kAuto;
  DataPlane data_plane = DataPlane::kAuto;
  bool has_shaping = true;                       ///< of the direct plane
  std::size_t max_reassembly_bytes = 256 << 10;  ///< at least mtu, where that is given
  bool udp_gso = true;
  bool udp_gro = true;
  bool offers_caps = true;  ///< false: speaks plain version 1
  bool kill_switch = false;
  bool kill_switch_lan = false;
  std::vector<Prefix> routes;   ///< not empty: route_mode is not kDefault
  std::vector<Prefix> exclude;  ///< stay outside
  std::optional<std::vector<Prefix>> lan = std::vector<Prefix>();  ///< likewise; none: no LAN does
  std::vector<std::string> up;    ///< a program and its arguments; empty: none
  std::vector<std::string> down;  ///< likewise

  /// server_host without a final dot: for the certificate, SNI and :authority.
  std::string server_name() const {
    return server_host.substr(0, server_host.size() - (server_host.ends_with('.') ? 1 : 0));
  }

  bool operator==(const ClientConfig&) const = default;
};

/// A configuration, and what its reader should be told although it is valid, in the form of the
/// errors below.
template <typename Config>
struct Loaded {
  Config config;
  std::vector<std::string> notes;
  std::string text;  ///< of the file
  /// Where the keys of the file are.
  std::map<std::string, TextPosition> positions;

  /// `server.yaml:12:7: LABEL KEY: MESSAGE`, without a place when the file does not have the key.
  std::string at(const std::string& file_name, const std::string& key, const std::string& label,
                 const std::string& message) const {
    const auto found = positions.find(key);
    const Fault fault{found == positions.end() ? TextPosition{} : found->second,
                      label + (key.empty() ? "" : key + ": ") + message};
    return to_string(fault, file_name);
  }
};

/// Reads and checks a whole file. The error lists every fault, a line each, in the form
/// `server.yaml:12:7: mtu: found "big", expected a whole number from 576 to 65535`; a key that is
/// not known names the nearest one that is. Relative paths in the file are taken from its folder.
Result<Loaded<ServerConfig>> load_server_config(const std::string& path);
Result<Loaded<ClientConfig>> load_client_config(const std::string& path);

/// Takes relative paths from the folder of `path`, the configuration's file.
void resolve_paths(ServerConfig& config, const std::string& path);
void resolve_paths(ClientConfig& config, const std::string& path);

/// The keys of server.yaml whose values differ between two files, both of them sound, in the order
/// of the table.
std::vector<std::string> changed_server_keys(std::string_view before, std::string_view after);

/// The same from text; `name` stands in for the path in errors, and paths stay as they are.
Result<Loaded<ServerConfig>> parse_server_config(std::string_view text, const std::string& name);
Result<Loaded<ClientConfig>> parse_client_config(std::string_view text, const std::string& name);

}  // namespace qdt::ops
