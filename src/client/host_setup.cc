#include "client/host_setup.h"

#include <algorithm>

#include "client/tunnel_routes.h"
#include "os/program.h"

namespace qdt::client {
namespace {

std::vector<std::string> hook_variables(const HostSetup::Options& options,
                                        const wire::ConnectResponse& response,
                                        const SocketAddress& server,
                                        const std::vector<IpAddress>& name_servers) {
  std::string dns;
  for (const IpAddress& address : name_servers) {
    dns += (dns.empty() ? "" : " ") + address.to_string();
  }
  const auto& ipv6 = response.ipv6;
  return {"QDT_DEVICE=" + options.tun_name,
          "QDT_ADDRESS=" + response.client_ip.to_string(),
          "QDT_GATEWAY=" + response.gateway_ip.to_string(),
          "QDT_CIDR=" + response.cidr.to_string(),
          "QDT_ADDRESS6=" + (ipv6 ? ipv6->client_ip.to_string() : ""),
          "QDT_GATEWAY6=" + (ipv6 ? ipv6->gateway_ip.to_string() : ""),
          "QDT_CIDR6=" + (ipv6 ? ipv6->cidr.to_string() : ""),
          "QDT_MTU=" + std::to_string(std::min(response.mtu, options.mtu)),
          "QDT_DNS=" + dns,
          "QDT_SERVER=" + server.to_string()};
}

}  // namespace

Result<std::unique_ptr<HostSetup>> HostSetup::open(const Options& options, Logger& logger) {
  auto network = os::open_host_network(options.tun_name, logger);
  if (!network) return fail(network);
  std::unique_ptr<HostSetup> setup(new HostSetup(options, logger));
  setup->network_ = std::move(*network);
  if (!options.has_kill_switch) return setup;

  auto kill_switch = os::KillSwitch::raise({.tun_name = options.tun_name,
                                            .allows_lan = options.kill_switch_allows_lan,
                                            .outside = options.exclude},
                                           logger);
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

Result<void> HostSetup::apply(const wire::ConnectResponse& response, const SocketAddress& server) {
  is_applied_ = true;
  mtu_ = std::min(response.mtu, options_.mtu);
  std::vector<os::TunAddress> addresses = {{response.client_ip, 32}};
  if (response.ipv6) addresses.push_back({response.ipv6->client_ip, 128});
  if (auto ok = network_->configure_tun(addresses, mtu_); !ok) return ok;
  if (kill_switch_) kill_switch_->keep();  // it may not have known the device until now
  if (auto ok = apply_routes(response, server); !ok) return ok;

  if (auto ok = network_->use_dns(name_servers_of(response)); !ok) return ok;
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

std::vector<IpAddress> HostSetup::name_servers_of(const wire::ConnectResponse& response) const {
  // Without routes into the tunnel, the server's name servers may not be reachable by it.
  if (options_.dns.empty() && options_.routing != Routing::kNothing) return response.dns;
  return options_.dns;
}

Result<void> HostSetup::run_up(const wire::ConnectResponse& response, const SocketAddress& server) {
  const bool is_first = variables_.empty();
  auto variables = hook_variables(options_, response, server, name_servers_of(response));
  if (variables == variables_) return {};
  variables_ = std::move(variables);
  const auto done = run(options_.up, is_first ? "connected" : "changed", options_.stop);
  if (done) return {};
  if (is_first) return fail("up: " + done.error().message);
  logger_.warning("up: " + done.error().message);
  return {};
}

void HostSetup::bring_down() {
  if (variables_.empty()) return;
  const auto done = run(options_.down, lets_go_ ? "stopped" : "failed");
  if (!done) logger_.warning("down: " + done.error().message);
  variables_.clear();
}

Result<void> HostSetup::run(const std::vector<std::string>& words, const std::string& reason,
                            std::optional<os::PollHandle> stop) {
  if (words.empty()) return {};
  os::Program program{.words = words, .environment = variables_, .stop = stop};
  program.environment.push_back("QDT_REASON=" + reason);
  return os::run_program(program, logger_);
}

Result<void> HostSetup::apply_routes(const wire::ConnectResponse& response,
                                     const SocketAddress& server) {
  if (options_.routing == Routing::kEverything) {
    network_->leave_outside(
        {.destinations = options_.exclude, .server = server.address, .name_servers = options_.dns});
    return network_->route_everything_through_tunnel();
  }
  const auto routes = routes_into_tunnel(options_, response, server.address);
  if (!routes) return fail(routes);
  return network_->route_only(*routes);
}

void HostSetup::keep() {
  if (kill_switch_) kill_switch_->keep();
  if (is_applied_) network_->keep();
}

std::vector<IpAddress> HostSetup::name_servers() const {
  if (!kill_switch_ && !is_applied_) return {};
  return network_->name_servers_outside();
}

}  // namespace qdt::client
