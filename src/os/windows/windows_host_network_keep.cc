// WindowsHostNetwork's name servers, and its looking after what it has made.

#include <algorithm>
#include <array>
#include <iterator>

#include "os/windows/windows_host_network.h"

namespace qdt::os {
namespace {

constexpr std::array kFamilies = {IpFamily::kV4, IpFamily::kV6};

std::vector<IpAddress> of_family(std::span<const IpAddress> addresses, IpFamily family) {
  std::vector<IpAddress> some;
  std::ranges::copy_if(addresses, std::back_inserter(some),
                       [&](const IpAddress& address) { return family_of(address) == family; });
  return some;
}

std::vector<IpAddress> servers_of(std::span<const InterfaceDns> dns, InterfaceId link) {
  const auto found = std::ranges::find(dns, link, &InterfaceDns::link);
  return found == dns.end() ? std::vector<IpAddress>() : found->servers;
}

std::vector<IpAddress> addresses_of(std::span<const NameServer> servers) {
  std::vector<IpAddress> addresses;
  for (const NameServer& server : servers) addresses.push_back(server.address);
  return addresses;
}

bool contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

}  // namespace

// ---- Name servers

Result<void> WindowsHostNetwork::use_dns(const NameServerWish& wish) {
  if (wish.servers.empty() && dns_.servers.empty()) return {};
  const auto tun = find_tun();
  if (!tun) return fail(tun);
  if (auto ok = set_dns(*tun, wish); !ok) {
    return fail("set the name servers: " + ok.error().message);
  }
  dns_ = wish;
  if (wish.servers.empty()) return {};
  std::string names;
  for (const NameServer& server : wish.servers) {
    names += (names.empty() ? "" : ", ") + server.to_string();
  }
  std::string asked_for = takes_everything_ ? "all names" : "the tunnel's adapter";
  if (!wish.domains.empty()) asked_for = std::to_string(wish.domains.size()) + " domains";
  logger_.info("name servers set to " + names + " for " + asked_for);
  return {};
}

// An adapter's name servers are asked for every name, beside those of all others.
Result<void> WindowsHostNetwork::set_dns(InterfaceId tun, const NameServerWish& wish) {
  std::vector<IpAddress> servers;
  if (wish.domains.empty()) servers = addresses_of(wish.servers);
  const auto now = calls_->dns();
  if (!now) return fail(now);
  const std::vector<IpAddress> have = servers_of(*now, tun);
  Transaction transaction(journal_, *calls_, logger_);
  for (const IpFamily family : kFamilies) {
    const std::vector<IpAddress> was = of_family(have, family);
    const std::vector<IpAddress> wanted = of_family(servers, family);
    if (was == wanted) continue;
    const auto set =
        transaction.change(RestoreDns{.link = tun, .family = family, .was = was, .wrote = wanted},
                           [&] { return calls_->set_dns(tun, family, wanted); });
    if (!set) return set;
  }
  const ResolutionPolicy policy = policy_for(wish);
  if (!policy.servers.empty()) {
    if (auto ok = set_policy(transaction, policy); !ok) return ok;
  }
  transaction.commit();
  merge_steps();
  if (policy.servers.empty()) {
    journal_.undo_one(RemoveResolutionPolicy{policy_key()}, undo_, logger_);
  }
  return {};
}

// Without a rule, Windows asks the name servers of every interface and takes the first answer.
ResolutionPolicy WindowsHostNetwork::policy_for(const NameServerWish& wish) const {
  ResolutionPolicy policy{.key = policy_key(), .names = {}, .servers = {}};
  for (const std::string& domain : wish.domains) policy.names.push_back("." + domain);
  if (policy.names.empty() && takes_everything_) policy.names = {"."};
  if (!policy.names.empty()) policy.servers = addresses_of(wish.servers);
  return policy;
}

Result<void> WindowsHostNetwork::set_policy(Transaction& transaction,
                                            const ResolutionPolicy& policy) {
  const auto existing = calls_->resolution_policies();
  if (!existing) return fail(existing);
  const RemoveResolutionPolicy step{policy.key};
  const bool is_ours = journal_.contains(step);
  if (contains(*existing, policy) && is_ours) return {};
  if (is_ours) return calls_->add_resolution_policy(policy);
  return transaction.change(step, [&] { return calls_->add_resolution_policy(policy); });
}

std::vector<NameServer> WindowsHostNetwork::name_servers_outside() {
  std::vector<NameServer> servers;
  const auto dns = calls_->dns();
  const auto interfaces = calls_->interfaces();
  if (!dns || !interfaces) return servers;
  std::vector<std::pair<std::uint32_t, InterfaceId>> ranked;
  for (const Interface& link : *interfaces) {
    if (link.is_tunnel() || !link.is_up) continue;
    const auto settings = calls_->ip_settings(link.id, IpFamily::kV4);
    ranked.emplace_back(settings ? settings->metric : UINT32_MAX, link.id);
  }
  std::ranges::sort(ranked);
  for (const auto& [metric, id] : ranked) {
    for (const IpAddress& server : servers_of(*dns, id)) {
      // One of the link alone would need to be told which.
      if (!server.is_link_local() && !contains(servers, NameServer(server))) {
        servers.emplace_back(server);
      }
    }
  }
  return servers;
}

// ---- Keeping

Upkeep WindowsHostNetwork::keep() {
  Upkeep upkeep;
  if (addresses_.empty()) return upkeep;
  const auto tun = find_tun();
  if (!tun) {
    upkeep.add_fault("the adapter has gone; start the client again: " + tun.error().message);
    return upkeep;
  }
  keep_routes(*tun);
  keep_pins();
  keep_refusals(*tun);
  keep_dns(*tun);
  return upkeep;
}

void WindowsHostNetwork::keep_routes(InterfaceId tun) {
  const auto existing = calls_->routes();
  if (!existing) return;
  for (const UndoStep& step : journal_.steps()) {
    const auto* made = std::get_if<RemoveRoute>(&step);
    const bool is_gone = made && !is_pin(made->route) && made->route.link == tun &&
                         !contains(*existing, made->route);
    if (!is_gone) continue;
    const auto again = calls_->add_route(made->route);
    logger_.warning("somebody removed the route to " + made->route.destination.to_string() +
                    (again ? "; it is made again" : ": " + again.error().message));
  }
}

// The new way comes before the old one goes, and a way that cannot be had leaves the old one alone.
void WindowsHostNetwork::keep_pins() {
  if (!takes_everything_) return;
  const auto wanted = wanted_pins();
  const auto existing = calls_->routes();
  if (!wanted || !existing) return;
  for (const WindowsRoute& pin : *wanted) {
    if (contains(*existing, pin) && journal_.contains(RemoveRoute{pin})) continue;
    Transaction transaction(journal_, *calls_, logger_);
    const auto pinned = add_route(transaction, *existing, pin);
    if (!pinned) {
      return logger_.warning("leave " + pin.destination.to_string() + " outside of " + tun_name_ +
                             ": " + pinned.error().message);
    }
    transaction.commit();
    logger_.info(pin.destination.to_string() + " stays outside of " + tun_name_ + " by way of " +
                 (pin.next_hop.is_unspecified() ? "its own link" : pin.next_hop.to_string()));
  }
  remove_other_routes(*wanted, /*are_pins=*/true);
}

void WindowsHostNetwork::keep_refusals(InterfaceId tun) {
  const auto wanted = wanted_refusals(tun);
  if (!wanted || wanted->is_empty()) return;
  const bool stands = filters_ && filters_->stands();
  if (stands && *wanted == refusals_) return;
  if (!stands) filters_.reset();
  const auto refused = refuse(*wanted);
  if (!refused) {
    return logger_.warning("refuse what goes around " + tun_name_ + ": " + refused.error().message);
  }
  if (!stands) logger_.warning("somebody removed the filters of " + tun_name_ + "; made again");
}

void WindowsHostNetwork::keep_dns(InterfaceId tun) {
  if (dns_.servers.empty()) return;
  const auto dns = calls_->dns();
  const auto policies = calls_->resolution_policies();
  if (!dns || !policies) return;
  const std::vector<IpAddress> have = servers_of(*dns, tun);
  std::vector<IpAddress> wanted;
  if (dns_.domains.empty()) wanted = addresses_of(dns_.servers);
  const bool is_set = std::ranges::all_of(kFamilies, [&](IpFamily family) {
    return of_family(have, family) == of_family(wanted, family);
  });
  const ResolutionPolicy policy = policy_for(dns_);
  const bool has_policy = policy.servers.empty() || contains(*policies, policy);
  if (is_set && has_policy) return;
  const auto again = set_dns(tun, NameServerWish(dns_));
  logger_.warning(again ? "somebody changed the name servers; set again"
                        : "cannot set the name servers again: " + again.error().message);
}

}  // namespace qdt::os
