#include "client/host_setup.h"

#include <algorithm>
#include <utility>

#include "client/overlap.h"
#include "client/tunnel_routes.h"
#include "os/taken_networks.h"

namespace qdt::client {
namespace {

os::Hook::Tunnel hook_facts(const HostSetup::Options& options,
                            const wire::ConnectResponse& response, const SocketAddress& server,
                            const std::vector<NameServer>& name_servers) {
  os::Hook::Tunnel facts{
      .ipv4 = {response.client_ip, response.gateway_ip, response.cidr},
      .mtu = std::min(response.mtu, options.mtu),
      .dns = name_servers,
      .server = server,
  };
  if (const auto& ipv6 = response.ipv6)
    facts.ipv6 = {ipv6->client_ip, ipv6->gateway_ip, ipv6->cidr};
  return facts;
}

}  // namespace

Result<std::unique_ptr<HostSetup>> HostSetup::open(const Options& options, os::HostControl& host,
                                                   Logger& logger) {
  auto network = host.open_network();
  if (!network) return fail(network);
  std::unique_ptr<HostSetup> setup(new HostSetup(options, host, logger));
  setup->network_ = std::move(*network);
  if (!options.has_kill_switch) return setup;

  auto kill_switch = host.raise_kill_switch();
  if (!kill_switch) return fail(kill_switch);
  setup->kill_switch_ = std::move(*kill_switch);
  return setup;
}

HostSetup::~HostSetup() {
  bring_down();
  network_.reset();
  if (!kill_switch_) return;
  if (lets_go_) {
    kill_switch_->lower();
  } else if (kill_switch_->outlives_process()) {
    logger_.warning(
        "the kill switch stays up: nothing leaves this host until qdt-client is started and "
        "stopped again, or qdt-client --cleanup");
  } else {
    logger_.warning(
        "the kill switch goes with this program: from now on, packets leave this host outside the "
        "tunnel");
  }
}

std::optional<std::string> HostSetup::find_own_lease(const wire::ConnectResponse& response) const {
  const auto networks = os::taken_networks(options_.tun_name);
  return networks ? client::find_own_lease(response, *networks) : std::nullopt;
}

Result<void> HostSetup::release_lease() {
  return network_->configure_tun(std::span<const os::TunAddress>(), mtu_);
}

Result<void> HostSetup::check_networks(const wire::ConnectResponse& response,
                                       const IpAddress& server) {
  const auto networks = os::taken_networks(options_.tun_name);
  if (!networks) logger_.debug(networks.error().message);
  reachable_pools_ =
      find_reachable_pools(response, networks.value_or(std::vector<os::TakenNetwork>()));
  if (!networks) return {};
  if (options_.routing == Routing::kEverything) {
    const bool has_pushed_dns = options_.has_dns && options_.dns.empty();
    const auto servers = has_pushed_dns ? response.dns : std::vector<IpAddress>();
    const std::string hidden = find_hidden_pool(response, servers, *networks).value_or("");
    if (!hidden.empty() && hidden != hidden_pool_) logger_.warning(hidden);
    hidden_pool_ = hidden;
    return {};
  }
  const auto routes = routes_into_tunnel(options_, response, server);
  if (!routes) return fail(routes);
  const auto taken = find_taken_network(response, *routes, *networks);
  return taken ? fail(*taken) : Result<void>();
}

// As in a LAN with the pool's addresses that this host came to while it was connected.
void HostSetup::follow_networks(const wire::ConnectResponse& response) {
  if (!is_applied_) return;
  const std::vector<Prefix> before = reachable_pools_;
  if (const auto ok = check_networks(response, server_); !ok) {
    if (ok.error().message != std::exchange(taken_network_, ok.error().message)) {
      logger_.warning(ok.error().message +
                      "; while the tunnel is up, it takes that network's place");
    }
    return;
  }
  taken_network_.clear();
  if (options_.routing != Routing::kEverything || reachable_pools_ == before) return;
  inside_ = addresses_inside(response);
  if (const auto ok = route_everything(); !ok) logger_.warning(ok.error().message);
}

Result<void> HostSetup::apply(const wire::ConnectResponse& response, const SocketAddress& server) {
  if (auto ok = check_networks(response, server.address); !ok) return ok;
  is_applied_ = true;
  mtu_ = std::min(response.mtu, options_.mtu);
  std::vector<os::TunAddress> addresses = {{response.client_ip, 32}};
  if (response.ipv6) addresses.push_back({response.ipv6->client_ip, 128});
  if (auto ok = network_->configure_tun(addresses, mtu_); !ok) return ok;
  if (kill_switch_) {
    os::Upkeep upkeep;
    kill_switch_->keep(upkeep);  // it may not have known the device until now
    if (!upkeep.fault.empty()) logger_.warning(upkeep.fault);
  }
  if (auto ok = apply_routes(response, server); !ok) return ok;

  if (auto ok = apply_dns(response); !ok) return ok;
  return run_up(response, server);
}

Result<void> HostSetup::follow_path(std::size_t path_mtu, std::size_t tunnel_mtu) {
  if (tunnel_mtu == mtu_) return {};
  if (auto ok = network_->set_tun_mtu(tunnel_mtu); !ok) return ok;
  logger_.info("the path carries packets of " + std::to_string(path_mtu) +
               " bytes: " + options_.tun_name + " has the MTU " + std::to_string(tunnel_mtu));
  mtu_ = tunnel_mtu;
  return {};
}

// A tunnel that takes everything answers for every name. Any other answers for domains, unless the
// user has named the name servers himself.
os::NameServerWish HostSetup::wish_of(const wire::ConnectResponse& response) const {
  if (!options_.has_dns) return {};
  os::NameServerWish wish{.servers = options_.dns, .domains = {}};
  if (wish.servers.empty()) wish.servers = {response.dns.begin(), response.dns.end()};
  wish.may_take_all_names = options_.routing == Routing::kEverything || !options_.dns.empty();
  if (options_.routing == Routing::kEverything) return wish;
  wish.domains = options_.dns_domains;
  if (wish.domains.empty() && options_.dns.empty()) wish.domains = response.dns_domains;
  if (wish.domains.empty() && options_.dns.empty()) wish.servers.clear();
  return wish;
}

Result<void> HostSetup::apply_dns(const wire::ConnectResponse& response) {
  const auto set = network_->use_dns(wish_);
  has_set_dns_ = set.has_value();
  if (!set && options_.dns_required) return fail(set.error().message + " (dns_required)");
  std::string note;
  if (!set) {
    note = set.error().message + "; this host's own stay in force";
    if (!wish_.domains.empty() && options_.dns.empty()) {
      note += "; with dns in the configuration, its name servers answer for all names";
    } else if (options_.routing == Routing::kEverything) {
      note += ", and are asked through the tunnel alone";
    }
  } else if (!options_.has_dns) {
    note = "the name servers stay this host's: dns is off in the configuration";
  } else if (wish_.servers.empty() && response.dns.empty()) {
    note = "the name servers stay this host's: the server pushes none";
  } else if (wish_.servers.empty()) {
    note =
        "the name servers stay this host's: this tunnel does not take everything, and there are "
        "no dns_domains to ask the server's for; dns in the configuration names others for all "
        "names";
  }
  const bool is_local = wish_.servers.empty() && options_.routing == Routing::kEverything &&
                        allowed_.empty() && !network_->name_servers_outside().empty();
  if (is_local && !note.empty()) {
    note +=
        "; the resolver on this host asks through the tunnel alone, unless dns in the "
        "configuration names a server in this host's networks";
  }
  if (note.empty() || note == std::exchange(dns_note_, note)) return {};
  set ? logger_.info(note) : logger_.warning(note);
  return {};
}

Result<void> HostSetup::run_up(const wire::ConnectResponse& response, const SocketAddress& server) {
  using Reason = os::Hook::Reason;
  const bool is_first = !told_;
  auto facts = hook_facts(options_, response, server, wish_.servers);
  if (facts == told_) return {};
  told_ = std::move(facts);
  if (options_.up.empty()) return {};
  const auto done = host_.run_hook({.moment = os::Hook::Moment::kUp,
                                    .reason = is_first ? Reason::kConnected : Reason::kChanged,
                                    .tunnel = *told_},
                                   options_.stop);
  if (done) return {};
  if (is_first) return fail("up: " + done.error().message);
  logger_.warning("up: " + done.error().message);
  return {};
}

void HostSetup::bring_down() {
  if (!told_) return;
  if (options_.down.empty()) return told_.reset();
  using Reason = os::Hook::Reason;
  const auto done = host_.run_hook({.moment = os::Hook::Moment::kDown,
                                    .reason = lets_go_ ? Reason::kStopped : Reason::kFailed,
                                    .tunnel = *told_},
                                   std::nullopt);
  if (!done) logger_.warning("down: " + done.error().message);
  told_.reset();
}

Result<void> HostSetup::apply_routes(const wire::ConnectResponse& response,
                                     const SocketAddress& server) {
  server_ = server.address;
  wish_ = wish_of(response);
  if (options_.routing == Routing::kEverything) {
    allowed_ = name_servers_allowed();
    inside_ = addresses_inside(response);
    return route_everything();
  }
  const auto routes = routes_into_tunnel(options_, response, server.address);
  if (!routes) return fail(routes);
  return network_->route_only(*routes);
}

// The server's pools, and its name servers unless the user has named them too: a LAN that has the
// same addresses does not get what is meant for these.
std::vector<Prefix> HostSetup::addresses_inside(const wire::ConnectResponse& response) const {
  std::vector<Prefix> inside = reachable_pools_;
  if (!options_.dns.empty() || wish_.servers.empty()) return inside;
  for (const IpAddress& server : response.dns) inside.push_back(Prefix::of_host(server));
  return inside;
}

// The user's choice may be asked wherever they are, and where there is none the host's own.
std::vector<IpAddress> HostSetup::name_servers_allowed() const {
  const bool has_own = wish_.servers.empty();
  std::vector<IpAddress> allowed;
  for (const NameServer& server : has_own ? network_->name_servers_outside() : options_.dns) {
    const bool stays_here = server.address.is_loopback() || server.address.is_unspecified();
    const bool is_new = std::ranges::find(allowed, server.address) == allowed.end();
    if (!stays_here && is_new) allowed.push_back(server.address);
  }
  return allowed;
}

Result<void> HostSetup::route_everything() {
  os::Outside outside{.destinations = options_.exclude,
                      .server = server_,
                      .name_servers = allowed_,
                      .private_networks = options_.leaves_lan,
                      .answers = options_.leaves_lan && !kill_switch_,
                      .inside = inside_};
  outside.destinations.insert(outside.destinations.end(), options_.lan.begin(), options_.lan.end());
  network_->leave_outside(outside);
  return network_->route_everything_through_tunnel();
}

// Another network may have name servers of its own.
void HostSetup::follow_name_servers() {
  if (options_.routing != Routing::kEverything || !wish_.servers.empty()) return;
  auto allowed = name_servers_allowed();
  if (allowed == allowed_) return;
  allowed_ = std::move(allowed);
  const auto routed = route_everything();
  if (!routed) logger_.warning("follow this host's name servers: " + routed.error().message);
}

os::Upkeep HostSetup::keep() {
  os::Upkeep upkeep;
  if (kill_switch_) kill_switch_->keep(upkeep);
  upkeep.add(network_->keep());
  if (is_applied_ && !upkeep.lacks_device) follow_name_servers();
  return upkeep;
}

std::vector<std::string> HostSetup::name_servers_in_force() const {
  std::vector<std::string> names;
  for (const NameServer& server : wish_.servers) {
    if (has_set_dns_) names.push_back(server.to_string());
  }
  return names;
}

std::vector<NameServer> HostSetup::name_servers() const {
  if (!kill_switch_ && !is_applied_) return host_.name_servers_of_files();
  return network_->name_servers_outside();
}

}  // namespace qdt::client
