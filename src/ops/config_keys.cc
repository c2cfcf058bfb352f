#include "ops/config_keys.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ops/config_address.h"
#include "ops/config_decoy.h"
#include "ops/config_identity.h"
#include "wire/handshake.h"

namespace qdt::ops {
namespace {

constexpr auto kDay = std::chrono::hours(24);
constexpr std::size_t kMaxMtu = 65535;
// The ring of fragments is allocated in one piece for each session that receives any.
constexpr std::size_t kMinReassemblyBytes = 2048;
constexpr std::size_t kMaxReassemblyBytes = 64 << 20;

constexpr const char* kBurst = "How many may come at once after a pause.";

Reader<LogLevel> log_level() {
  return one_of<LogLevel>({{"debug", LogLevel::kDebug},
                           {"info", LogLevel::kInfo},
                           {"warn", LogLevel::kWarning},
                           {"warning", LogLevel::kWarning},
                           {"error", LogLevel::kError}},
                          "debug, info, warn or error");
}

Reader<std::optional<std::size_t>> mtu() {
  const Reader<std::size_t> number = whole_number(wire::kMinMtu, kMaxMtu);
  return or_nothing(
      "auto or " + number.expected, [](const YamlNode& node) { return is_word(node, "auto"); },
      number);
}

auto per_second(RateLimit ServerConfig::* limit) {
  return [limit](ServerConfig& config, double value) { (config.*limit).per_second = value; };
}

auto burst(RateLimit ServerConfig::* limit) {
  return [limit](ServerConfig& config, double value) { (config.*limit).burst = value; };
}

template <typename C>
Key<C> required(Key<C> key) {
  key.text.is_required = true;
  return key;
}

/// Where none of `alternatives` is given.
template <typename C>
Key<C> required(Key<C> key, std::vector<std::string> alternatives) {
  key.text.alternatives = std::move(alternatives);
  return required(std::move(key));
}

template <typename C>
Key<C> secret(Key<C> key) {
  key.text.is_secret = true;
  return key;
}

/// The key of this name that both programs have.
template <typename C>
Key<C> shared(std::string_view name) {
  static const std::vector<Key<C>> keys = {
      {"mtu", "auto", mtu(), &C::mtu,
       "Largest packet inside the tunnel, in bytes. auto: what the path carries, as it is found "
       "out and watched in each session. A number is a cap; the smaller of the server's and the "
       "client's counts."},
      {"tun_name", "qdt0", interface_name(), &C::tun_name, "Name of the TUN device."},
      {"tun_offloads", "true", flag(), &C::tun_offloads,
       "Lets the kernel pass up to 64 KiB of one TCP or UDP flow through the TUN device at once. "
       "Switch it off to see each packet as it is in a capture there."},
      {"max_reassembly_bytes", "262144", whole_number(kMinReassemblyBytes, kMaxReassemblyBytes),
       &C::max_reassembly_bytes,
       "Memory for packets that come in fragments, in bytes per session; at least mtu. The oldest "
       "incomplete packet gives way when it is full."},
      {"congestion", "bbr",
       one_of<CongestionControl>({{"bbr", CongestionControl::kBbr},
                                  {"cubic", CongestionControl::kCubic},
                                  {"reno", CongestionControl::kReno}}),
       &C::congestion,
       "Congestion control of what this side sends. bbr keeps queues short, and its rate where "
       "packets are lost at random; cubic and reno take every loss for congestion and fill the "
       "buffers on the way."},
      {"aead", "auto",
       one_of<wire::AeadPreference>({{"auto", wire::AeadPreference::kAuto},
                                     {"chacha20-poly1305", wire::AeadPreference::kChaCha20Poly1305},
                                     {"aes-256-gcm", wire::AeadPreference::kAes256Gcm}}),
       &C::aead,
       "Cipher inside the tunnel. auto: aes-256-gcm where the processor has instructions for it; "
       "chacha20-poly1305 wherever one side does not offer it."},
      {"data_plane", "auto",
       one_of<DataPlane>({{"auto", DataPlane::kAuto},
                          {"quic", DataPlane::kQuic},
                          {"direct", DataPlane::kDirect}}),
       &C::data_plane,
       "How packets travel. direct: in a form of their own beside the QUIC connection, the "
       "fastest; quic: in its DATAGRAM frames; auto: directly where the peer can and such packets "
       "get through, else in frames."},
      {"shaping", "auto", one_of<bool>({{"auto", true}, {"off", false}}), &C::has_shaping,
       "Keeps queues on the path short by holding back direct packets when, and as long as, that "
       "helps; off: never."},
      {"udp_gso", "true", flag(), &C::udp_gso,
       "Hands bursts of UDP payloads to the kernel to be cut (UDP_SEGMENT); it switches itself off "
       "where the kernel refuses."},
      {"udp_gro", "true", flag(), &C::udp_gro,
       "Takes bursts of UDP payloads that the kernel has joined (UDP_GRO); it switches itself off "
       "where the kernel refuses."},
      {"auth", "auto",
       one_of<Auth>({{"auto", Auth::kAuto}, {"proof", Auth::kProof}, {"token", Auth::kToken}}),
       &C::auth,
       "By what clients show who they are. proof: by a key, which no message has in it (version 2 "
       "of the protocol); token: by the token itself, which whoever terminates TLS reads (version "
       "1); auto: by a proof, and by the token where the other side knows nothing else and a "
       "client has verified the server's certificate."},
      {"path", DefaultValue("\"/.well-known/masque/ip/{target}/{ipproto}/\"", "RFC 9484's"),
       path_template(), &C::path, "The path of requests by version 2; both sides have the same."},
      {"user", "qdt", user_name(), &C::user,
       "The user that the program runs as once it is set up, when root has started it (Linux). "
       "Where there is no user qdt, an ID that no user has. root: it keeps root's files."},
      {"log_level", "info", log_level(), &C::log_level, "The least serious messages shown."},
      {"log_json", "false", flag(), &C::log_json, "Log lines as JSON objects instead of text."},
  };
  return *std::ranges::find(keys, name, [](const Key<C>& key) { return key.text.name; });
}

std::vector<Key<ServerConfig>> make_server_keys() {
  using C = ServerConfig;
  return {
      required(secret<C>({"token", "REPLACE-ME", token(), &C::token,
                          "The secret that all clients of this server share: both sides make their "
                          "keys of it. Make one with: openssl rand -base64 32"}),
               {"devices"}),
      secret<C>({"devices", "[]", devices(), &C::devices,
                 "Clients with keys of their own, in place of a token or besides: each a name and "
                 "the public key that qdt-client key shows there. psk: of the same command, seals "
                 "packets once more. For other people's clients: login and secret (its SHA-256)."}),
      shared<C>("auth"),
      shared<C>("path"),
      {"authority", DefaultValue("[]", "[], any"), authorities(), &C::authority,
       "The names, or name:port, by which clients may dial this server in version 2."},
      {"addr", "\":443\"", listen_address(), &C::addr,
       "UDP address for clients; :PORT takes every address of the host, IPv4 and IPv6."},
      {"tls_cert", "server.crt", file_path(), &C::tls_cert,
       "Certificate chain (PEM), leaf first; relative to this file's folder."},
      {"tls_key", "server.key", file_path(), &C::tls_key,
       "Private key of the certificate (PEM); relative to this file's folder."},
      shared<C>("tun_name"),
      shared<C>("tun_offloads"),
      shared<C>("mtu"),
      {"pool_cidr", "10.8.0.0/24", address_pool(), &C::pool_cidr, "Addresses to lend to clients."},
      {"gateway_ip", DefaultValue("10.8.0.1", "the pool's first address"), ipv4_address(),
       &C::gateway_ip, "The server's own address in the pool."},
      // Without a default: a private one would draw IPv6 to a server that may have none.
      {"pool_cidr6", DefaultValue("\"\"", "none: no IPv6 in the tunnel"), optional_ipv6_pool(),
       &C::pool_cidr6,
       "IPv6 addresses to lend to clients, one beside each IPv4 address: the same number in this "
       "prefix. A private prefix (fd...) is translated; one of the host's own can be routed to it, "
       "see nat.ipv6. Needs an mtu of at least 1280."},
      {"gateway_ip6", DefaultValue("\"\"", "the one with gateway_ip's number"),
       optional_ipv6_address(), &C::gateway_ip6, "The server's own address in pool_cidr6."},
      // Two operators, so that one's outage is not the clients'. Without any, a client that sends
      // everything into the tunnel would go on asking the resolver of the network it is in.
      {"dns", "[1.1.1.1, 8.8.8.8]", pushed_dns(), &C::dns,
       "Name servers pushed to clients; [] leaves them their own."},
      {"dns_domains", "[]", domains(), &C::dns_domains,
       "Domains that clients with route_mode: cidr or none ask these name servers for; for all "
       "other names they keep their own."},
      {"push_routes", "[]", pushed_routes(), &C::push_routes,
       "Networks that clients with route_mode: cidr send into the tunnel besides the pool."},
      {"nat.enabled", "true", flag(), &C::nat_enabled,
       "Translates the clients' addresses to the host's on their way out, and switches forwarding "
       "on."},
      {"nat.external_iface", DefaultValue("\"\"", "any but the TUN device"),
       optional_interface_name(), &C::nat_external_iface, "Network interface to the world."},
      {"nat.ipv6", "masquerade", one_of<bool>({{"masquerade", true}, {"off", false}}), &C::nat_ipv6,
       "The clients' IPv6 addresses on their way out. masquerade: translated to the host's, with "
       "nat.enabled; off: left as they are, for a pool_cidr6 that the network routes to this "
       "host."},
      {"nat.inbound", "auto",
       one_of<Inbound>(
           {{"auto", Inbound::kByPool}, {"refuse", Inbound::kRefuse}, {"allow", Inbound::kAllow}}),
       &C::nat_inbound,
       "Connections that begin outside and go to clients. refuse: none, only answers and ICMP "
       "errors, and ports that the host redirects to a client; allow: what finds its way to this "
       "host; auto: refuse where the pool is translated, allow where it is routed (nat.enabled: "
       "false, nat.ipv6: off)."},

      {"client_to_client", "true", flag(), &C::client_to_client, "Lets clients reach one another."},
      {"host_access", "icmp",
       one_of<HostAccess>(
           {{"none", HostAccess::kNone}, {"icmp", HostAccess::kPing}, {"all", HostAccess::kAll}}),
       &C::host_access,
       "The part of this host that clients reach, by any of its addresses. none: nothing; icmp: an "
       "answer to a ping; all: every service that listens there. Port 53 of the addresses in dns "
       "is reached in any case, and answers to what this host itself asks of clients come in."},
      {"deny",
       "[169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32, 192.0.0.192/32, \"fe80::/10\", "
       "\"fd00:ec2::254/128\", \"fd20:ce::254/128\", \"fd00:c1::a9fe:a9fe/128\"]",
       denied_prefixes(), &C::deny,
       "Networks that clients do not reach, but for port 53 of the addresses in dns. The default "
       "is link-local addresses, and those at which clouds tell a host its secrets."},

      {"decoy", "page", decoy(), &C::decoy,
       "The site that the server shows to visitors without the token, on every path. page: a plain "
       "page like a fresh web server's; {root: FOLDER}: the files of a folder, read at the start "
       "and on SIGHUP; {proxy: \"http://127.0.0.1:8080\"}: the answers of another web server on "
       "this host; {status: 404}: that status; off: the protocol's own refusals, which tell "
       "everybody what this server is. server: NAME in the braces sets the server header; without "
       "it there is none."},

      {"max_sessions", "0", whole_number(0, 1 << 24), &C::max_sessions,
       "Clients at one time; 0: as many as the pool holds."},
      {"max_sessions_per_client", "16", whole_number(0, 1 << 24), &C::max_sessions_per_client,
       "Clients at one time with one client_id behind one address; all behind an address may be "
       "eight times as many, but no more than half of the pool, and all of an IPv6 /48 half as "
       "many again; 0: any number."},
      {"session_timeout", "0", duration(1s, 30 * kDay, Zero::kAllowed), &C::session_timeout,
       "Ends a session that carried no packet for this long; 0: never, the session lives as long "
       "as its connection."},
      {"lease_grace", "10m", duration(1s, 30 * kDay, Zero::kAllowed), &C::lease_grace,
       "How long a client's address is kept for it after its session, also across a restart of the "
       "server; 0: not at all. Others get it before that only when the pool is exhausted."},
      shared<C>("max_reassembly_bytes"),
      {"handshake_rate.pps", "200", rate(), per_second(&C::handshake_rate),
       "Handshakes per second of all clients together; 0: unlimited."},
      {"handshake_rate.burst", DefaultValue("400", "twice pps"), rate(1), burst(&C::handshake_rate),
       kBurst},
      {"handshake_ip_rate.pps", "5", rate(), per_second(&C::handshake_ip_rate),
       "Handshakes per second of one IP address; requests without the token have as many of their "
       "own, and wait beyond them. 0: unlimited, which lets tokens be guessed."},
      {"handshake_ip_rate.burst", DefaultValue("100", "twenty times pps"), rate(1),
       burst(&C::handshake_ip_rate), kBurst},
      {"handshake_ip_rate.ttl", "10m", duration(1s, kDay), &C::handshake_ip_ttl,
       "How long an address is remembered after its last handshake."},
      {"rate_limit.pps", "0", rate(), per_second(&C::rate_limit),
       "Inner packets per second of one session, in each direction; 0: unlimited."},
      {"rate_limit.burst", DefaultValue("20000", "twice pps"), rate(1), burst(&C::rate_limit),
       kBurst},

      {"send_workers", "0", whole_number(0, 64), &C::send_workers,
       "Shards: threads with a UDP socket, a TUN queue and sessions of their own; 0: one for each "
       "processor that the server may use, at most 64."},
      shared<C>("congestion"),
      {"send_queue", "1024", whole_number(1, 65536), &C::send_queue,
       "Packets that one session may queue while its connection is congested."},
      {"send_batch", "16", whole_number(1, 1024), &C::send_batch,
       "Full packets' worth of bytes taken from one session before the next gets its turn."},
      {"send_datagram_queue", "1024", whole_number(16, 65536), &C::send_datagram_queue,
       "UDP payloads per shard that may wait for a blocked socket."},
      shared<C>("udp_gso"),
      shared<C>("udp_gro"),
      {"session_shards", "0", whole_number(0, 65536), [](C&, std::size_t) {},
       "Without effect: sessions live in their shard, without locks. Accepted so that older files "
       "stay valid."},
      shared<C>("aead"),
      shared<C>("data_plane"),
      shared<C>("shaping"),

      // Loopback, because counters tell who talks when; and away from the ports of Prometheus and
      // its common exporters (9090 to 9187), one of which most hosts run.
      {"metrics_addr", "127.0.0.1:9435", optional_listen_address(), &C::metrics_addr,
       "HTTP address of /metrics (Prometheus) and /healthz."},
      {"metrics_users", "2000", whole_number(0, 100'000), &C::metrics_users,
       "While there are no more users than this, qdt_user_bytes_total has a series for each of "
       "them "
       "and direction."},
      {"health_addr", "127.0.0.1:9436", optional_listen_address(), &C::health_addr,
       "HTTP address of /healthz alone, for load balancers; may equal metrics_addr."},
      {"pprof_addr", "off", optional_listen_address(), &C::pprof_addr,
       "HTTP address of profiles for go tool pprof, such as 127.0.0.1:6060; loopback only unless "
       "pprof_public."},
      {"pprof_public", "false", flag(), &C::pprof_public,
       "Lets pprof_addr be reachable from other hosts, all of which may then slow the server "
       "down."},
      shared<C>("log_level"),
      shared<C>("log_json"),
      shared<C>("user"),
  };
}

std::vector<Key<ClientConfig>> make_client_keys() {
  using C = ClientConfig;
  return {
      required<C>({"server", "vpn.example.com:443", server_address(),
                   [](C& config, HostAndPort server) {
                     config.server_host = std::move(server.host);
                     config.server_port = server.port;
                   },
                   "The server; the port is 443 when it is left out. A name may have capitals, "
                   "underscores, letters of any script and a final dot."}),
      required(secret<C>({"token", "REPLACE-ME", token(), &C::token,
                          "The secret of the server's configuration."}),
               {"key", "key_file"}),
      secret<C>({"key", DefaultValue("\"\"", "none"), or_empty(private_key()), &C::key,
                 "This device's own key, in place of a token; make one with: qdt-client key"}),
      {"key_file", DefaultValue("\"\"", "none"), or_empty(file_path()), &C::key_file,
       "A file with that key in it, which others may not read; relative to this file's folder."},
      {"server_key", DefaultValue("\"\"", "none: the certificate is verified"),
       or_empty(public_keys()), &C::server_keys,
       "The key by which the server proves itself, whatever its certificate; the server logs it at "
       "its start. A list while it changes."},
      secret<C>({"psk", DefaultValue("\"\"", "none"), or_empty(preshared_key()), &C::psk,
                 "A secret of this device and the server that is never sent: protects what is "
                 "recorded today against a later break of TLS's key exchange. Made by qdt-client "
                 "key --psk."}),
      shared<C>("auth"),
      shared<C>("path"),
      {"tls_fingerprint",
       DefaultValue("\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
                    "none, the system's certificate authorities decide"),
       certificate_fingerprint(), &C::tls_fingerprint,
       "Trusts the certificate with this SHA-256 fingerprint and no other; the server logs its own "
       "at start-up."},
      {"insecure", "false", flag(), &C::insecure,
       "Takes any certificate. With a token, or a key and server_key, the server proves itself "
       "inside, and the certificate is camouflage; with auth: token, anyone on the way is "
       "trusted."},
      {"route_mode", "default",
       one_of<Routing>({{"default", Routing::kEverything},
                        {"cidr", Routing::kPool},
                        {"none", Routing::kNothing}}),
       &C::route_mode,
       "The traffic that goes into the tunnel. default: everything; cidr: the server's pool; none: "
       "what you route there yourself."},
      {"dns", DefaultValue("[]", "[], those that the server pushes"), own_dns(),
       [](C& config, std::optional<std::vector<NameServer>> dns) {
         config.has_dns = dns.has_value();
         config.dns = std::move(dns).value_or(std::vector<NameServer>());
       },
       "Name servers while the tunnel is up, in place of the server's; off: this host's stay as "
       "they are. With route_mode cidr or none, the server's are used for dns_domains alone, and "
       "these for all names unless there are dns_domains."},
      {"dns_domains", DefaultValue("[]", "[], those that the server pushes"), domains(),
       &C::dns_domains,
       "With route_mode cidr or none: the domains that the tunnel's name servers are asked for. "
       "Needs systemd-resolved, or Windows."},
      {"dns_required", "false", flag(), &C::dns_required,
       "Ends when the name servers cannot be set, instead of going on with this host's."},
      {"routes", "[]", routes(), &C::routes,
       "Networks that go into the tunnel besides those that route_mode cidr or none say; given "
       "alone, it means route_mode: cidr."},
      {"exclude", "[]", routes(), &C::exclude,
       "Networks that stay outside the tunnel, and pass the kill switch."},
      {"lan", "[]", lan_prefixes(), &C::lan,
       "Local networks that stay outside with route_mode: default, besides those that this host is "
       "in and that have private addresses. off: none stays outside, and nobody outside gets an "
       "answer."},
      {"kill_switch", "false", flag(), &C::kill_switch,
       "Lets nothing out but through the tunnel, from the start until an orderly stop; a lost "
       "server does not open it, nor on Linux a crash; --cleanup does. On Windows it goes with the "
       "process."},
      {"kill_switch_lan", "false", flag(), &C::kill_switch_lan,
       "Lets private, link-local and local multicast addresses pass the kill switch."},
      shared<C>("tun_name"),
      shared<C>("tun_offloads"),
      shared<C>("mtu"),
      {"up", "[]", command(), &C::up,
       "A program to run once the tunnel is up; what it is told in QDT_* variables is in "
       "docs/operations.md."},
      {"down", "[]", command(), &C::down, "A program to run before the tunnel goes down."},
      {"client_id", DefaultValue("laptop", "this host's name"), client_name(), &C::client_id,
       "A name for the server's log."},
      {"timeout", "10s", duration(1s, 10min), &C::timeout,
       "How long one attempt to connect waits for its first answer."},
      {"wait_for_server", "false", flag(), &C::wait_for_server,
       "Goes on trying when the first attempt does not reach the server, as at a boot before the "
       "network is up or the clock is set, instead of ending with status 3."},
      {"keepalive", "20s", duration(1s, 25s), &C::keepalive,
       "How often an idle connection says that it is there, so that NATs and firewalls on the way "
       "remember it."},
      shared<C>("congestion"),
      shared<C>("aead"),
      shared<C>("data_plane"),
      shared<C>("shaping"),
      shared<C>("max_reassembly_bytes"),
      shared<C>("udp_gso"),
      shared<C>("udp_gro"),
      {"caps", "all", one_of<bool>({{"all", true}, {"none", false}}), &C::offers_caps,
       "Capabilities to offer the server beyond version 1 of the protocol. none: be a plain "
       "version 1 client, for tests and for servers that mishandle an offer."},
      shared<C>("log_level"),
      shared<C>("log_json"),
      shared<C>("user"),
  };
}

}  // namespace

const std::vector<Key<ServerConfig>>& server_keys() {
  static const std::vector<Key<ServerConfig>> keys = make_server_keys();
  return keys;
}

const std::vector<Key<ClientConfig>>& client_keys() {
  static const std::vector<Key<ClientConfig>> keys = make_client_keys();
  return keys;
}

}  // namespace qdt::ops
