#include "client/host_setup.h"

#include <algorithm>

namespace qdt::client {

Result<std::unique_ptr<HostSetup>> HostSetup::open(const Options& options, Logger& logger) {
  auto network = os::open_host_network(options.tun_name, logger);
  if (!network) return fail(network);
  std::unique_ptr<HostSetup> setup(new HostSetup(options, logger));
  setup->network_ = std::move(*network);
  if (!options.has_kill_switch) return setup;

  auto kill_switch = os::KillSwitch::raise(
      {.tun_name = options.tun_name, .allows_lan = options.kill_switch_allows_lan}, logger);
  if (!kill_switch) return fail(kill_switch);
  setup->kill_switch_ = std::move(*kill_switch);
  return setup;
}

HostSetup::~HostSetup() {
  network_.reset();
  if (kill_switch_ && lets_go_) kill_switch_->lower();
  if (!kill_switch_ || lets_go_) return;
  logger_.warning(
      "the kill switch stays up: nothing leaves this host until qdt-client is started and stopped "
      "again, or qdt-client --cleanup");
}

Result<void> HostSetup::apply(const wire::ConnectResponse& response, const SocketAddress&) {
  const std::size_t mtu = std::min(response.mtu, options_.mtu);
  std::vector<os::TunAddress> addresses = {{response.client_ip, 32}};
  if (response.ipv6) addresses.push_back({response.ipv6->client_ip, 128});
  if (auto ok = network_->configure_tun(addresses, mtu); !ok) return ok;
  switch (options_.routing) {
    case Routing::kEverything:
      if (auto ok = network_->route_everything_through_tunnel(); !ok) return ok;
      break;
    case Routing::kPool:
      if (auto ok = network_->route_through_tunnel(response.cidr); !ok) return ok;
      if (!response.ipv6) break;
      if (auto ok = network_->route_through_tunnel(response.ipv6->cidr); !ok) return ok;
      break;
    case Routing::kNothing: break;
  }

  const std::vector<IpAddress>& dns = options_.dns.empty() ? response.dns : options_.dns;
  // Without routes into the tunnel, the server's name servers may not be reachable by it.
  if (options_.routing == Routing::kNothing && options_.dns.empty()) return {};
  if (dns.empty()) return {};
  return network_->use_dns(dns);
}

void HostSetup::keep() {
  if (kill_switch_) kill_switch_->keep();
}

}  // namespace qdt::client
