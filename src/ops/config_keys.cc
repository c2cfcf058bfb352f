#include "ops/config_keys.h"

#include "ops/config_address.h"
#include "ops/config_decoy.h"
#include "ops/config_shared_keys.h"

namespace qdt::ops {
namespace {

constexpr auto kDay = std::chrono::hours(24);

Reader<RouteMode> route_mode() {
  return one_of<RouteMode>(
      {{"default", RouteMode::kDefault}, {"cidr", RouteMode::kCidr}, {"none", RouteMode::kNone}},
      "default, cidr or none");
}

Reader<bool> offered_caps() {
  return one_of<bool>({{"all", true}, {"none", false}}, "all or none");
}

/// `pps` and `burst` below `group`.
void add_rate_keys(std::vector<Key<ServerConfig>>& keys, const std::string& group,
                   RateLimit ServerConfig::* limit, const std::string& pps,
                   const std::string& burst, const std::string& explanation,
                   const std::string& burst_note) {
  keys.push_back(make_key<ServerConfig>(
      {.name = group + ".pps", .example = pps, .explanation = explanation}, rate(),
      [=](ServerConfig& config, double value) { (config.*limit).per_second = value; }));
  keys.push_back(make_key<ServerConfig>(
      {.name = group + ".burst",
       .example = burst,
       .explanation = "How many may come at once after a pause.",
       .default_note = burst_note},
      rate(1), [=](ServerConfig& config, double value) { (config.*limit).burst = value; }));
}

void add_network_keys(std::vector<Key<ServerConfig>>& keys) {
  using C = ServerConfig;
  keys.push_back(make_key<C>({.name = "addr",
                              .example = "\":443\"",
                              .explanation = "UDP address for clients; :PORT takes every address "
                                             "of the host, IPv4 and IPv6."},
                             listen_address(), &C::addr));
  keys.push_back(make_key<C>(
      {.name = "tls_cert",
       .example = "server.crt",
       .explanation = "Certificate chain (PEM), leaf first; relative to this file's folder."},
      file_path(), &C::tls_cert));
  keys.push_back(make_key<C>(
      {.name = "tls_key",
       .example = "server.key",
       .explanation = "Private key of the certificate (PEM); relative to this file's folder."},
      file_path(), &C::tls_key));
  keys.push_back(tun_name_key<C>());
  keys.push_back(tun_offloads_key<C>());
  keys.push_back(mtu_key<C>());
  keys.push_back(make_key<C>({.name = "pool_cidr",
                              .example = "10.8.0.0/24",
                              .explanation = "Addresses to lend to clients."},
                             address_pool(), &C::pool_cidr));
  keys.push_back(make_key<C>({.name = "gateway_ip",
                              .example = "10.8.0.1",
                              .explanation = "The server's own address in the pool.",
                              .default_note = "the pool's first address"},
                             ipv4_address(), &C::gateway_ip));
  // Without a default: a private one would draw the clients' IPv6 to a server that may have none.
  keys.push_back(make_key<C>(
      {.name = "pool_cidr6",
       .example = "\"\"",
       .explanation =
           "IPv6 addresses to lend to clients, one beside each IPv4 address: the same number in "
           "this prefix. A private prefix (fd...) is translated; one of the host's own can be "
           "routed to it, see nat.ipv6. Needs an mtu of at least 1280.",
       .default_note = "none: no IPv6 in the tunnel"},
      optional_ipv6_pool(), &C::pool_cidr6));
  keys.push_back(make_key<C>({.name = "gateway_ip6",
                              .example = "\"\"",
                              .explanation = "The server's own address in pool_cidr6.",
                              .default_note = "the one with gateway_ip's number"},
                             optional_ipv6_address(), &C::gateway_ip6));
  // Two operators, so that one's outage is not the clients'. Without any, a client that sends
  // everything into the tunnel would go on asking the resolver of the network it is in.
  keys.push_back(make_key<C>({.name = "dns",
                              .example = "[1.1.1.1, 8.8.8.8]",
                              .explanation = "Name servers pushed to clients; [] leaves them their "
                                             "own."},
                             pushed_dns(), &C::dns));
  keys.push_back(make_key<C>({.name = "dns_domains",
                              .example = "[]",
                              .explanation = "Domains that clients with route_mode: cidr or none "
                                             "ask these name servers for; for all other names "
                                             "they keep their own."},
                             domains(), &C::dns_domains));
  keys.push_back(
      make_key<C>({.name = "push_routes",
                   .example = "[]",
                   .explanation = "Networks that clients with route_mode: cidr send into the "
                                  "tunnel besides the pool."},
                  pushed_routes(), &C::push_routes));
  keys.push_back(make_key<C>({.name = "nat.enabled",
                              .example = "true",
                              .explanation = "Translates the clients' addresses to the host's on "
                                             "their way out, and switches forwarding on."},
                             flag(), &C::nat_enabled));
  keys.push_back(make_key<C>({.name = "nat.external_iface",
                              .example = "\"\"",
                              .explanation = "Network interface to the world.",
                              .default_note = "any but the TUN device"},
                             optional_interface_name(), &C::nat_external_iface));
  keys.push_back(make_key<C>(
      {.name = "nat.ipv6",
       .example = "masquerade",
       .explanation = "The clients' IPv6 addresses on their way out. masquerade: translated to the "
                      "host's, with nat.enabled; off: left as they are, for a pool_cidr6 that the "
                      "network routes to this host."},
      one_of<bool>({{"masquerade", true}, {"off", false}}, "masquerade or off"), &C::nat_ipv6));
  keys.push_back(make_key<C>(
      {.name = "nat.inbound",
       .example = "auto",
       .explanation =
           "Connections that begin outside and go to clients. refuse: none, only answers "
           "and ICMP errors, and ports that the host redirects to a client; allow: what "
           "finds its way to this host; auto: refuse where the pool is translated, "
           "allow where it is routed (nat.enabled: false, nat.ipv6: off)."},
      one_of<Inbound>(
          {{"auto", Inbound::kByPool}, {"refuse", Inbound::kRefuse}, {"allow", Inbound::kAllow}},
          "auto, refuse or allow"),
      &C::nat_inbound));
}

void add_access_keys(std::vector<Key<ServerConfig>>& keys) {
  using C = ServerConfig;
  keys.push_back(make_key<C>({.name = "client_to_client",
                              .example = "true",
                              .explanation = "Lets clients reach one another."},
                             flag(), &C::client_to_client));
  keys.push_back(make_key<C>(
      {.name = "host_access",
       .example = "icmp",
       .explanation =
           "The part of this host that clients reach, by any of its addresses. none: "
           "nothing; icmp: an answer to a ping; all: every service that listens there. Port 53 "
           "of the addresses in dns is reached in any case, and answers to what this "
           "host itself asks of clients come in."},
      one_of<HostAccess>(
          {{"none", HostAccess::kNone}, {"icmp", HostAccess::kPing}, {"all", HostAccess::kAll}},
          "none, icmp or all"),
      &C::host_access));
  keys.push_back(make_key<C>(
      {.name = "deny",
       .example = "[169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32, 192.0.0.192/32, "
                  "\"fe80::/10\", \"fd00:ec2::254/128\", \"fd20:ce::254/128\", "
                  "\"fd00:c1::a9fe:a9fe/128\"]",
       .explanation = "Networks that clients do not reach, but for port 53 of the addresses in "
                      "dns. The default is link-local addresses, and those at which clouds tell a "
                      "host its secrets."},
      denied_prefixes(), &C::deny));
}

void add_limit_keys(std::vector<Key<ServerConfig>>& keys) {
  using C = ServerConfig;
  keys.push_back(make_key<C>({.name = "max_sessions",
                              .example = "0",
                              .explanation = "Clients at one time; 0: as many as the pool holds."},
                             whole_number(0, 1 << 24), &C::max_sessions));
  keys.push_back(make_key<C>(
      {.name = "max_sessions_per_client",
       .example = "16",
       .explanation = "Clients at one time with one client_id behind one address; all behind an "
                      "address may be eight times as many, but no more than half of the pool, and "
                      "all of an IPv6 /48 half as many again; 0: any number."},
      whole_number(0, 1 << 24), &C::max_sessions_per_client));
  keys.push_back(make_key<C>(
      {.name = "session_timeout",
       .example = "0",
       .explanation = "Ends a session that carried no packet for this long; 0: never, the session "
                      "lives as long as its connection."},
      duration(1s, 30 * kDay, Zero::kAllowed), &C::session_timeout));
  keys.push_back(make_key<C>(
      {.name = "lease_grace",
       .example = "10m",
       .explanation = "How long a client's address is kept for it after its session, also across a "
                      "restart of the server; 0: not at all. Others get it before that only when "
                      "the pool is exhausted."},
      duration(1s, 30 * kDay, Zero::kAllowed), &C::lease_grace));
  keys.push_back(reassembly_key<C>());
  add_rate_keys(keys, "handshake_rate", &C::handshake_rate, "200", "400",
                "Handshakes per second of all clients together; 0: unlimited.", "twice pps");
  add_rate_keys(keys, "handshake_ip_rate", &C::handshake_ip_rate, "5", "100",
                "Handshakes per second of one IP address; requests without the token have as many "
                "of their own, and wait beyond them. 0: unlimited, which lets tokens be guessed.",
                "twenty times pps");
  keys.push_back(make_key<C>({.name = "handshake_ip_rate.ttl",
                              .example = "10m",
                              .explanation = "How long an address is remembered after its last "
                                             "handshake."},
                             duration(1s, kDay), &C::handshake_ip_ttl));
  add_rate_keys(keys, "rate_limit", &C::rate_limit, "0", "20000",
                "Inner packets per second of one session, in each direction; 0: unlimited.",
                "twice pps");
}

void add_decoy_key(std::vector<Key<ServerConfig>>& keys) {
  keys.push_back(make_key<ServerConfig>(
      {.name = "decoy",
       .example = "page",
       .explanation =
           "The site that the server shows to visitors without the token, on every path. page: a "
           "plain page like a fresh web server's; {root: FOLDER}: the files of a folder, read at "
           "the start and on SIGHUP; {proxy: \"http://127.0.0.1:8080\"}: the answers of another "
           "web server on this host; {status: 404}: that status; off: the protocol's own refusals, "
           "which tell everybody what this server is. server: NAME in the braces sets the server "
           "header; without it there is none."},
      decoy(), &ServerConfig::decoy));
}

void add_sending_keys(std::vector<Key<ServerConfig>>& keys) {
  using C = ServerConfig;
  keys.push_back(make_key<C>(
      {.name = "send_workers",
       .example = "1",
       .explanation = "Shards: threads with a UDP socket, a TUN queue and sessions of their own; "
                      "0: one per CPU."},
      whole_number(0, 64), &C::send_workers));
  keys.push_back(congestion_key<C>());
  keys.push_back(make_key<C>({.name = "send_queue",
                              .example = "1024",
                              .explanation = "Packets that one session may queue while its "
                                             "connection is congested."},
                             whole_number(1, 65536), &C::send_queue));
  keys.push_back(make_key<C>({.name = "send_batch",
                              .example = "16",
                              .explanation = "Full packets' worth of bytes taken from one session "
                                             "before the next gets its turn."},
                             whole_number(1, 1024), &C::send_batch));
  keys.push_back(make_key<C>({.name = "send_datagram_queue",
                              .example = "1024",
                              .explanation = "UDP payloads per shard that may wait for a blocked "
                                             "socket."},
                             whole_number(16, 65536), &C::send_datagram_queue));
  keys.push_back(udp_gso_key<C>());
  keys.push_back(udp_gro_key<C>());
  keys.push_back(
      make_key<C>({.name = "session_shards",
                   .example = "0",
                   .explanation = "Without effect: sessions live in their shard, without "
                                  "locks. Accepted so that older files stay valid."},
                  whole_number(0, 65536), [](C&, std::size_t) {}));
  keys.push_back(aead_key<C>());
  keys.push_back(data_plane_key<C>());
  keys.push_back(shaping_key<C>());
}

void add_observation_keys(std::vector<Key<ServerConfig>>& keys) {
  using C = ServerConfig;
  // Loopback, because counters tell who talks when; and away from the ports of Prometheus and its
  // common exporters (9090 to 9187), one of which most hosts run.
  keys.push_back(make_key<C>({.name = "metrics_addr",
                              .example = "127.0.0.1:9435",
                              .explanation = "HTTP address of /metrics (Prometheus) and /healthz."},
                             optional_listen_address(), &C::metrics_addr));
  keys.push_back(make_key<C>({.name = "health_addr",
                              .example = "127.0.0.1:9436",
                              .explanation = "HTTP address of /healthz alone, for load balancers; "
                                             "may equal metrics_addr."},
                             optional_listen_address(), &C::health_addr));
  keys.push_back(make_key<C>({.name = "pprof_addr",
                              .example = "off",
                              .explanation = "HTTP address of profiles for go tool pprof, such as "
                                             "127.0.0.1:6060; loopback only unless pprof_public."},
                             optional_listen_address(), &C::pprof_addr));
  keys.push_back(make_key<C>({.name = "pprof_public",
                              .example = "false",
                              .explanation = "Lets pprof_addr be reachable from other hosts, all "
                                             "of which may then slow the server down."},
                             flag(), &C::pprof_public));
  keys.push_back(log_level_key<C>());
  keys.push_back(log_json_key<C>());
  keys.push_back(user_key<C>());
}

std::vector<Key<ServerConfig>> make_server_keys() {
  std::vector<Key<ServerConfig>> keys;
  keys.push_back(token_key<ServerConfig>(
      "The secret that clients show, also the root of the tunnel's keys; make one with: openssl "
      "rand -base64 32"));
  add_network_keys(keys);
  add_access_keys(keys);
  add_decoy_key(keys);
  add_limit_keys(keys);
  add_sending_keys(keys);
  add_observation_keys(keys);
  return keys;
}

std::vector<Key<ClientConfig>> make_client_keys() {
  using C = ClientConfig;
  std::vector<Key<C>> keys;
  keys.push_back(make_key<C>(
      {.name = "server",
       .example = "vpn.example.com:443",
       .explanation = "The server; the port is 443 when it is left out. A name may have "
                      "capitals, underscores, letters of any script and a "
                      "final dot.",
       .is_required = true},
      server_address(), [](C& config, HostAndPort server) {
        config.server_host = std::move(server.host);
        config.server_port = server.port;
      }));
  keys.push_back(token_key<C>("The secret of the server's configuration."));
  keys.push_back(make_key<C>(
      {.name = "tls_fingerprint",
       .example = "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
       .explanation = "Trusts the certificate with this SHA-256 fingerprint and no other; the "
                      "server logs its own at start-up.",
       .default_note = "none, the system's certificate authorities decide"},
      certificate_fingerprint(), &C::tls_fingerprint));
  keys.push_back(make_key<C>({.name = "insecure",
                              .example = "false",
                              .explanation = "Trusts any certificate, and with it anyone on the "
                                             "way. For tests only."},
                             flag(), &C::insecure));
  keys.push_back(make_key<C>(
      {.name = "route_mode",
       .example = "default",
       .explanation = "The traffic that goes into the tunnel. default: everything; cidr: "
                      "the server's pool; none: what you route there "
                      "yourself."},
      route_mode(), &C::route_mode));
  keys.push_back(make_key<C>({.name = "dns",
                              .example = "[]",
                              .explanation = "Name servers while the tunnel is up, in place of "
                                             "the server's; off: this host's stay as they are. "
                                             "With route_mode cidr or none, the server's are used "
                                             "for dns_domains alone, and these for all names "
                                             "unless there are dns_domains.",
                              .default_note = "[], those that the server pushes"},
                             own_dns(), [](C& config, OwnDns dns) {
                               config.dns = std::move(dns.servers);
                               config.has_dns = !dns.is_off;
                             }));
  keys.push_back(make_key<C>({.name = "dns_domains",
                              .example = "[]",
                              .explanation = "With route_mode cidr or none: the domains that the "
                                             "tunnel's name servers are asked for. Needs "
                                             "systemd-resolved, or Windows.",
                              .default_note = "[], those that the server pushes"},
                             domains(), &C::dns_domains));
  keys.push_back(make_key<C>({.name = "dns_required",
                              .example = "false",
                              .explanation = "Ends when the name servers cannot be set, instead of "
                                             "going on with this host's."},
                             flag(), &C::dns_required));
  keys.push_back(
      make_key<C>({.name = "routes",
                   .example = "[]",
                   .explanation = "Networks that go into the tunnel besides those that route_mode "
                                  "cidr or none say; given alone, it means "
                                  "route_mode: cidr."},
                  routes(), &C::routes));
  keys.push_back(
      make_key<C>({.name = "exclude",
                   .example = "[]",
                   .explanation = "Networks that stay outside the tunnel, and pass the kill "
                                  "switch."},
                  excluded_prefixes(), &C::exclude));
  keys.push_back(make_key<C>({.name = "lan",
                              .example = "[]",
                              .explanation = "Local networks that stay outside with route_mode: "
                                             "default, besides those that this host is in and that "
                                             "have private addresses. off: none stays outside, and "
                                             "nobody outside gets an answer."},
                             lan_prefixes(), &C::lan));
  keys.push_back(make_key<C>({.name = "kill_switch",
                              .example = "false",
                              .explanation = "Lets nothing out but through the tunnel, from the "
                                             "start until an orderly stop; a lost server does "
                                             "not open it, nor on Linux a crash; --cleanup "
                                             "does. On Windows it goes with the process."},
                             flag(), &C::kill_switch));
  keys.push_back(make_key<C>({.name = "kill_switch_lan",
                              .example = "false",
                              .explanation = "Lets private, link-local and local multicast "
                                             "addresses pass the kill switch."},
                             flag(), &C::kill_switch_lan));
  keys.push_back(tun_name_key<C>());
  keys.push_back(tun_offloads_key<C>());
  keys.push_back(mtu_key<C>());
  keys.push_back(make_key<C>({.name = "up",
                              .example = "[]",
                              .explanation = "A program to run once the tunnel is up; what it is "
                                             "told in QDT_* variables is in docs/operations.md."},
                             command(), &C::up));
  keys.push_back(make_key<C>({.name = "down",
                              .example = "[]",
                              .explanation = "A program to run before the tunnel goes down."},
                             command(), &C::down));
  keys.push_back(make_key<C>({.name = "client_id",
                              .example = "laptop",
                              .explanation = "A name for the server's log.",
                              .default_note = "this host's name"},
                             client_name(), &C::client_id));
  keys.push_back(
      make_key<C>({.name = "timeout",
                   .example = "10s",
                   .explanation = "How long one attempt to connect waits for its first answer."},
                  duration(1s, 10min), &C::timeout));
  keys.push_back(make_key<C>(
      {.name = "wait_for_server",
       .example = "false",
       .explanation = "Goes on trying when the first attempt does not reach the server, as at a "
                      "boot before the network is up or the clock is set, instead of ending with "
                      "status 3."},
      flag(), &C::wait_for_server));
  keys.push_back(make_key<C>(
      {.name = "keepalive",
       .example = "20s",
       .explanation = "How often an idle connection says that it is there, so that NATs and "
                      "firewalls on the way remember it."},
      duration(1s, 25s), &C::keepalive));
  keys.push_back(congestion_key<C>());
  keys.push_back(aead_key<C>());
  keys.push_back(data_plane_key<C>());
  keys.push_back(shaping_key<C>());
  keys.push_back(reassembly_key<C>());
  keys.push_back(udp_gso_key<C>());
  keys.push_back(udp_gro_key<C>());
  keys.push_back(
      make_key<C>({.name = "caps",
                   .example = "all",
                   .explanation = "Capabilities to offer the server beyond version 1 of the "
                                  "protocol. none: be a plain version 1 client, for "
                                  "tests and for servers that mishandle an offer."},
                  offered_caps(), &C::offers_caps));
  keys.push_back(log_level_key<C>());
  keys.push_back(log_json_key<C>());
  keys.push_back(user_key<C>());
  return keys;
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
