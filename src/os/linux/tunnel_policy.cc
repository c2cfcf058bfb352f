#include "os/linux/tunnel_policy.h"

#include <algorithm>
#include <sstream>

#include "os/linux/default_route.h"
#include "os/linux/main_routes.h"
#include "os/linux/sysctl.h"

namespace qdt::os {

bool TunnelPolicy::Device::carries_ipv6() const {
  return std::ranges::any_of(inner, [](const IpAddress& address) { return address.is_v6(); });
}

TunnelPolicy::TunnelPolicy(const std::string& tun_name, UndoJournal& journal, Netlink& netlink,
                           Logger& logger)
    : tun_name_(tun_name),
      journal_(journal),
      netlink_(netlink),
      logger_(logger),
      guard_(guard_table_name(tun_name)),
      marks_(marks_table_name(tun_name)) {}

Result<void> TunnelPolicy::protect(const Device& device, Transaction& transaction) {
  return set_guard(device, transaction);
}

Result<void> TunnelPolicy::route_everything(const Device& device, const Outside& outside,
                                            Transaction& transaction) {
  const bool took_everything = std::exchange(takes_everything_, true);
  outside_ = outside;
  auto routed = set_everything(device, transaction);
  if (!routed && !took_everything) {
    takes_everything_ = false;
    guard_.drop();
    marks_.drop();
  }
  return routed;
}

Result<void> TunnelPolicy::set_everything(const Device& device, Transaction& transaction) {
  const auto refused = [&](const std::string& doing, const Error& error) {
    return fail(doing + " " + tun_name_ + ": " + error.message);
  };
  const auto claimed = claim_tunnel_table(device.link_index, netlink_, transaction);
  if (!claimed) return refused("route everything through", claimed.error());
  auto networks = look_around(device);
  if (!networks) return refused("look for local networks beside", networks.error());
  networks_ = std::move(*networks);
  // Before the rules: nothing goes around the tunnel from the first packet on.
  const auto guarded = set_guard(device, transaction);
  if (!guarded) return refused("refuse what goes around", guarded.error());
  set_marks(device, transaction);
  const auto left = set_exceptions(device, transaction);
  if (!left) return refused("leave outside of", left.error());
  const auto routed =
      make_default_route(device.link_index, device.carries_ipv6(), netlink_, transaction);
  if (!routed) return refused("route everything through", routed.error());
  return {};
}

void TunnelPolicy::settle(const Device& device) {
  drop_older_exceptions(device);
  logger_.info(device.carries_ipv6() ? "all traffic is routed through " + tun_name_
                                     : "all IPv4 traffic is routed through " + tun_name_ +
                                           ", all IPv6 traffic refused");
  tell();
}

void TunnelPolicy::follow(const Device& device) {
  if (!takes_everything_) return;
  auto networks = look_around(device);
  if (!networks || *networks == networks_) return;
  const LocalNetworks before = std::exchange(networks_, std::move(*networks));
  if (networks_.outside == before.outside) return tell();

  Transaction transaction(journal_, logger_);
  auto followed = set_guard(device, transaction);
  if (followed) followed = set_exceptions(device, transaction);
  if (!followed) {
    networks_ = before;  // to be tried again
    return logger_.warning("cannot follow a change of the local networks: " +
                           followed.error().message);
  }
  set_marks(device, transaction);
  transaction.commit();
  drop_older_exceptions(device);
  tell();
}

ClientPolicy TunnelPolicy::policy(const Device& device) const {
  ClientPolicy policy{.tun_name = tun_name_,
                      .inner = device.inner,
                      .takes_everything = takes_everything_,
                      .outside = networks_.outside,
                      .inside = holes(device),
                      .name_servers = outside_.name_servers,
                      .has_local_multicast = outside_.private_networks,
                      .answers = outside_.answers};
  std::istringstream ports(read_sysctl("net/ipv4/ip_local_port_range").value_or(std::string()));
  if (std::uint16_t first = 0, last = 0; ports >> first >> last && first < last) {
    policy.first_ephemeral_port = first;
    policy.last_ephemeral_port = last;
  }
  return policy;
}

Result<LocalNetworks> TunnelPolicy::look_around(const Device& device) const {
  const auto routes = main_routes();
  if (!routes) return fail(routes);
  return local_networks(*routes, outside_, device.link_index, networks_.outside);
}

Result<void> TunnelPolicy::set_guard(const Device& device, Transaction& transaction) {
  return guard_.set(
      [policy = policy(device)](const std::string& name, const std::string& flags) {
        return guard_ruleset({name, flags}, policy);
      },
      transaction);
}

// Without them, all but some answers comes through: no reason to do without the tunnel.
void TunnelPolicy::set_marks(const Device& device, Transaction& transaction) {
  const auto set = marks_.set(
      [policy = policy(device)](const std::string& name, const std::string& flags) {
        return marks_ruleset({name, flags}, policy);
      },
      transaction);
  if (set) return;
  logger_.warning(
      "a strict reverse path filter (rp_filter=1) would drop the server's answers, and "
      "connections from outside get no answer: " +
      set.error().message);
}

Result<void> TunnelPolicy::set_exceptions(const Device& device, Transaction& transaction) {
  const auto left = leave_outside(networks_.outside, netlink_, transaction);
  if (!left) return left;
  return keep_inside(holes(device), device.link_index, netlink_, transaction);
}

std::vector<Prefix> TunnelPolicy::holes(const Device& device) const {
  std::vector<Prefix> holes;
  for (const Prefix& inside : outside_.inside) {
    const bool is_hole = std::ranges::any_of(networks_.outside, [&](const Prefix& outside) {
      return outside != inside && outside.contains(inside);
    });
    if (is_hole && (inside.address().is_v4() || device.carries_ipv6())) holes.push_back(inside);
  }
  return holes;
}

void TunnelPolicy::drop_older_exceptions(const Device& device) {
  std::vector<Route> wanted;
  for (const Prefix& prefix : networks_.outside) wanted.push_back(route_outside(prefix));
  for (const Prefix& prefix : holes(device)) {
    wanted.push_back(route_inside(prefix, device.link_index));
  }
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* older = std::get_if<DeleteRoute>(&step);
    if (!older || !is_exception(older->route)) continue;
    if (std::ranges::find(wanted, older->route) == wanted.end()) {
      journal_.undo_one(step, undo, logger_);
    }
  }
}

void TunnelPolicy::tell() {
  if (networks_.outside != told_networks_.outside) {
    std::string outside;
    for (const Prefix& prefix : networks_.outside) {
      outside += (outside.empty() ? "" : ", ") + prefix.to_string();
    }
    logger_.info("outside of " + tun_name_ + ": " + (outside.empty() ? "nothing" : outside));
  }
  for (const std::string& route : networks_.ignored) {
    if (told_.size() >= kMaxLocalNetworks || !told_.insert(route).second) continue;
    logger_.warning("the local network's route " + route +
                    " does not count: its packets take the tunnel; lan in the configuration "
                    "leaves it outside");
    if (told_.size() == kMaxLocalNetworks) logger_.warning("of further ones nothing is said");
  }
  if (networks_.omitted > told_networks_.omitted) {
    logger_.warning("the local network has too many routes: " + std::to_string(networks_.omitted) +
                    " of them are left out, and their packets take the tunnel");
  }
  told_networks_ = networks_;
}

}  // namespace qdt::os
