#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/host_network.h"
#include "os/windows/filters.h"
#include "os/windows/network_calls.h"
#include "os/windows/outside.h"
#include "os/windows/transaction.h"
#include "os/windows/undo_journal.h"

namespace qdt::os {

/// HostNetwork, a client's half of it, by calls to Windows. Everything into the tunnel is two
/// routes to half of everything each: they are narrower than any default route, so that none wins,
/// whatever metric it comes with when a network joins, and the default routes stay in place for the
/// tunnel's own packets (outside.h).
class WindowsHostNetwork final : public HostNetwork {
 public:
  WindowsHostNetwork(std::string tun_name, UndoJournal journal, std::unique_ptr<NetworkCalls> calls,
                     Logger& logger);
  ~WindowsHostNetwork() override;

  Result<void> configure_tun(std::span<const TunAddress> addresses, std::size_t mtu) override;
  Result<void> set_tun_mtu(std::size_t mtu) override;

  // A server's affairs.
  Result<void> limit_clients(const ClientAccess& access) override;
  Result<void> enable_forwarding() override;
  Result<void> enable_ipv6_forwarding() override;
  Result<void> install_nat(const NatOptions& options) override;
  std::vector<std::string> forwarding_obstacles() override { return {}; }

  void leave_outside(const Outside& outside) override { outside_ = outside; }
  Result<void> route_everything_through_tunnel() override;
  Result<void> route_only(std::span<const Prefix> destinations) override;
  Result<void> use_dns(const NameServerWish& wish) override;

  Upkeep keep() override;
  Result<void> adopt_device() override { return {}; }
  std::vector<NameServer> name_servers_outside() override;

 private:
  Result<InterfaceId> find_tun();
  bool carries_ipv6() const;
  std::string policy_key() const { return std::string(kPolicyPrefix) + tun_name_; }

  Result<void> settle_ip(Transaction& transaction, InterfaceId tun, IpFamily family,
                         std::size_t mtu);
  Result<void> silence_ipv6(Transaction& transaction, InterfaceId tun);
  Result<void> add_addresses(Transaction& transaction, std::span<const OwnAddress> wanted);
  void remove_older_addresses();
  /// Merges two steps that restore the same into one.
  void merge_steps();

  Result<void> add_route(Transaction& transaction, std::span<const WindowsRoute> existing,
                         const WindowsRoute& route);
  Result<void> check_unrouted(std::span<const WindowsRoute> existing, const WindowsRoute& route);
  /// Removes our routes, pins or others, that are not among these.
  void remove_other_routes(std::span<const WindowsRoute> wanted, bool are_pins);
  Result<std::vector<WindowsRoute>> wanted_pins();
  Result<Refusals> wanted_refusals(InterfaceId tun);
  Result<void> refuse(const Refusals& refusals);
  Result<void> set_dns(InterfaceId tun, const NameServerWish& wish);
  Result<void> set_policy(Transaction& transaction, const ResolutionPolicy& policy);
  /// The rule that the wish needs; one without servers: none.
  ResolutionPolicy policy_for(const NameServerWish& wish) const;

  void keep_routes(InterfaceId tun);
  void keep_pins();
  void keep_refusals(InterfaceId tun);
  void keep_dns(InterfaceId tun);

  std::string tun_name_;
  std::unique_ptr<NetworkCalls> calls_;
  UndoJournal journal_;
  Logger& logger_;
  UndoJournal::Undo undo_;
  std::vector<OwnAddress> addresses_;  // since configure_tun()
  Outside outside_;
  bool takes_everything_ = false;
  std::vector<Prefix> lost_;  // that route_only() was given, of a kind that the tunnel has not
  NameServerWish dns_;
  std::unique_ptr<FilterSession> filters_;  // while something is refused
  Refusals refusals_;
};

}  // namespace qdt::os
