#include "os/linux/host_keeper.h"

#include <algorithm>
#include <array>
#include <optional>

#include "os/linux/forwarding.h"
#include "os/linux/nftables.h"
#include "os/linux/sysctl.h"

namespace qdt::os {
namespace {

// Addresses of the whole world, a quarter of it each. Nothing is sent to them: the kernel is asked
// how a packet would travel.
const std::array kSamples4 = {"5.5.5.5", "77.77.77.77", "145.145.145.145", "213.213.213.213"};
const std::array kSamples6 = {"2000::1", "2600::1", "2a00::1", "3ffe::1"};
/// A destination so wide stands for everything: "0.0.0.0/1" and its like.
constexpr int kWidePrefix = 3;

template <typename Step>
std::vector<Step> all_of(const std::vector<UndoStep>& steps) {
  std::vector<Step> found;
  for (const UndoStep& step : steps) {
    if (const auto* one = std::get_if<Step>(&step)) found.push_back(*one);
  }
  return found;
}

struct PartOf {
  HostPart operator()(const RestoreSysctl&) const { return HostPart::kSysctl; }
  HostPart operator()(const RestoreForwarding&) const { return HostPart::kSysctl; }
  HostPart operator()(const RestoreLink&) const { return HostPart::kLink; }
  HostPart operator()(const DeleteAddress&) const { return HostPart::kAddress; }
  HostPart operator()(const DeleteRoute&) const { return HostPart::kRoute; }
  HostPart operator()(const DeleteRule&) const { return HostPart::kRule; }
  HostPart operator()(const DeleteNftTable&) const { return HostPart::kTable; }
  template <typename Other>
  HostPart operator()(const Other&) const {
    return HostPart::kNameServers;
  }
};

struct TextOf {
  std::string operator()(const RestoreSysctl& step) const {
    return "sysctl " + step.name + "=" + step.wrote;
  }
  std::string operator()(const RestoreForwarding& step) const {
    return std::string(step.is_v6 ? "IPv6" : "IPv4") + " forwarding";
  }
  std::string operator()(const RestoreLink& step) const {
    return "device " + step.wrote.name + " (up, MTU " + std::to_string(step.wrote.mtu) + ")";
  }
  std::string operator()(const DeleteAddress& step) const {
    return "address " + step.address.address.to_string();
  }
  std::string operator()(const DeleteRoute& step) const {
    return "route " + step.route.destination.to_string() + " in table " +
           std::to_string(step.route.table);
  }
  std::string operator()(const DeleteRule& step) const {
    return std::string(step.rule.is_v6 ? "IPv6" : "IPv4") + " rule " +
           std::to_string(step.rule.priority);
  }
  std::string operator()(const DeleteNftTable& step) const {
    return "nftables table inet " + step.name;
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "name servers";
  }
};

/// Steps about the device of one index become those of another.
struct Move {
  int was;
  int now;
  void operator()(RestoreLink& step) const {
    move(step.was.index);
    move(step.wrote.index);
  }
  void operator()(DeleteAddress& step) const { move(step.address.link_index); }
  void operator()(DeleteRoute& step) const { move(step.route.link_index); }
  void operator()(RevertResolved& step) const { move(step.link_index); }
  template <typename Other>
  void operator()(Other&) const {}

  void move(int& index) const {
    if (index == was) index = now;
  }
};

// The kernel's choice for an IPv6 route without a metric.
std::uint32_t metric_of(const Route& route) {
  const bool is_default = route.destination.address().is_v6() && route.metric == 0;
  return is_default ? 1024 : route.metric;
}

bool is_same_route(const Route& one, const Route& other) {
  return one.destination == other.destination && one.link_index == other.link_index &&
         one.goes_on == other.goes_on && metric_of(one) == metric_of(other);
}

}  // namespace

void HostKeeper::keep(Upkeep& upkeep) {
  put_back_.clear();
  const std::vector<UndoStep> wanted = journal_.desired().wanted(journal_.steps());
  const auto generation = nft_generation();
  const bool do_tables_stand =
      generation && journal_.desired().generation == std::optional(*generation);
  bool has_table_changed = false;
  for (const UndoStep& step : wanted) {
    const bool is_table = std::holds_alternative<DeleteNftTable>(step);
    if (is_table && do_tables_stand) continue;
    const auto kept = std::visit([this](const auto& kind) { return keep_step(kind); }, step);
    if (!kept) {
      upkeep.add_fault("put back " + std::visit(TextOf(), step) + ": " + kept.error().message);
      has_table_changed |= is_table;
    } else if (*kept == Change::kMade) {
      upkeep.count(std::visit(PartOf(), step));
      put_back_.push_back(std::visit(TextOf(), step));
      has_table_changed |= is_table;
    }
  }
  // Looked at again, after our own changes, where something changed.
  journal_.desired().generation =
      generation && !has_table_changed ? std::optional(*generation) : std::nullopt;
  for (const bool is_v6 : {false, true}) keep_precedence(is_v6, wanted, upkeep);
}

Result<Change> HostKeeper::keep_step(const RestoreSysctl& step) {
  if (!has_sysctl(step.name)) return Change::kNotNeeded;  // of a device that has gone
  const auto value = read_sysctl(step.name);
  if (!value) return fail(value);
  if (*value == step.wrote) return Change::kNotNeeded;
  // In the end it is put back to what somebody wants instead, not to what was there before.
  const UndoStep now = RestoreSysctl{.name = step.name, .was = *value, .wrote = step.wrote};
  if (journal_.contains(step)) {
    const auto steps = all_of<RestoreSysctl>(journal_.steps());
    if (std::ranges::count(steps, step.name, &RestoreSysctl::name) == 1) {
      journal_.replace(step, now);
      journal_.desired().replace(step, now);
    }
  } else {
    journal_.add(now);
    journal_.desired().add(now);
  }
  if (auto written = write_sysctl(step.name, step.wrote); !written) return fail(written);
  return Change::kMade;
}

Result<Change> HostKeeper::keep_step(const RestoreForwarding& step) {
  const bool is_on = read_sysctl(forwarding_sysctl(step.is_v6)).value_or("") == "1";
  const bool ignores_routers = std::ranges::any_of(step.takes_advertisements, [](const auto& name) {
    return read_sysctl("net/ipv6/conf/" + name + "/accept_ra").value_or("") == "1";
  });
  if (is_on && !ignores_routers) return Change::kNotNeeded;
  if (auto on = switch_forwarding_on(step); !on) return fail(on);
  return Change::kMade;
}

Result<Change> HostKeeper::keep_step(const RestoreLink& step) {
  const auto link = netlink_.find_link(step.wrote.index);
  if (!link) return fail(link);
  Link wanted = step.wrote;
  wanted.name = link->name;
  if (*link == wanted) return Change::kNotNeeded;
  return netlink_.set_link(wanted);
}

Result<Change> HostKeeper::keep_step(const DeleteAddress& step) {
  const InterfaceAddress& address = step.address;
  const auto added = netlink_.add_address(address);
  if (!added || *added == Change::kMade) return added;
  const auto own = netlink_.choose_route(address.address);
  if (!own) return fail(own);
  if (!own->is_local) {
    const auto restored = netlink_.restore_local_route(address);
    if (!restored || *restored == Change::kMade) return restored;
  }
  const int host_bits = address.address.bit_length() - address.prefix_length;
  if (host_bits < 2) return Change::kNotNeeded;

  // Somebody may have deleted the route that came with it, or put another in its place.
  const Prefix prefix(address.address, address.prefix_length);
  const IpAddress neighbour =
      prefix.host(prefix.host(1) == address.address ? std::uint32_t{2} : std::uint32_t{1});
  const auto chosen = netlink_.choose_route(neighbour);
  if (!chosen) return fail(chosen);
  const bool is_ours = chosen->link_index == address.link_index;
  if (is_ours || chosen->prefix_length > address.prefix_length) return Change::kNotNeeded;
  if (auto restored = netlink_.restore_prefix_route(address); !restored) return fail(restored);
  return Change::kMade;
}

// Adding what is there tells that it is there, but not whose it is: another route to the same
// destination has taken the place of ours.
Result<Change> HostKeeper::keep_step(const DeleteRoute& step) {
  const auto added = netlink_.add_route(step.route);
  if (!added || *added == Change::kMade) return added;
  const auto routes =
      netlink_.list_routes(step.route.destination.address().is_v6(), step.route.table);
  if (!routes) return fail(routes);
  const bool stands = std::ranges::any_of(
      *routes, [&](const Route& route) { return is_same_route(route, step.route); });
  if (stands) return Change::kNotNeeded;
  if (auto replaced = netlink_.replace_route(step.route); !replaced) return fail(replaced);
  return Change::kMade;
}

Result<Change> HostKeeper::keep_step(const DeleteRule& step) {
  return netlink_.add_rule(step.rule);
}

Result<Change> HostKeeper::keep_step(const DeleteNftTable& step) {
  KeptTable* table = journal_.desired().find_table(step.name);
  return table ? table->keep() : Change::kNotNeeded;
}

void HostKeeper::keep_precedence(bool is_v6, const std::vector<UndoStep>& wanted, Upkeep& upkeep) {
  const auto rules = all_of<DeleteRule>(wanted);
  const auto routes = all_of<DeleteRoute>(wanted);
  // The table that takes everything, by a rule of ours and a default route of ours in it.
  const auto takes_all = [&](const DeleteRule& step) {
    return step.rule.is_v6 == is_v6 && std::ranges::any_of(routes, [&](const DeleteRoute& route) {
             return route.route.table == step.rule.table && route.route.destination.length() == 0 &&
                    route.route.destination.address().is_v6() == is_v6 &&
                    route.route.link_index != 0;
           });
  };
  const auto ours = std::ranges::find_if(rules, takes_all);
  if (ours == rules.end()) return;
  keep_own_table(is_v6, ours->rule.table, routes, upkeep);
  std::uint32_t first = ours->rule.priority;
  for (const DeleteRule& step : rules) {
    if (step.rule.is_v6 == is_v6) first = std::min(first, step.rule.priority);
  }

  for (const char* sample : is_v6 ? kSamples6 : kSamples4) {
    const IpAddress address = *IpAddress::parse(sample);
    const bool is_outside = std::ranges::any_of(routes, [&](const DeleteRoute& route) {
      return route.route.goes_on && route.route.destination.contains(address);
    });
    if (is_outside) continue;
    const auto chosen = netlink_.choose_route(address);
    if (!chosen || chosen->table == ours->rule.table || chosen->prefix_length > kWidePrefix)
      continue;
    const std::string table = "table " + std::to_string(chosen->table);
    const auto priorities = netlink_.rule_priorities(is_v6, chosen->table);
    const auto thief = priorities ? std::ranges::min_element(*priorities) : priorities->end();
    if (chosen->table == 0 || !priorities || thief == priorities->end() || *thief >= first) {
      upkeep.add_fault(
          "packets do not reach the tunnel's routes: look at ip rule and ip route show " + table);
      return;
    }
    const auto moved = go_before(*thief, is_v6, wanted);
    if (!moved) return upkeep.add_fault(moved.error().message);
    upkeep.count(HostPart::kRule);
    put_back_.push_back(std::string(is_v6 ? "IPv6" : "IPv4") + " rules before rule " +
                        std::to_string(*thief) + ", which sent everything to " + table);
    return;
  }
}

// The guard refuses what such a route sends elsewhere: its packets would get nowhere.
void HostKeeper::keep_own_table(bool is_v6, std::uint32_t table,
                                const std::vector<DeleteRoute>& routes, Upkeep& upkeep) {
  const auto device = std::ranges::find_if(routes, [&](const DeleteRoute& step) {
    return step.route.table == table && step.route.link_index != 0;
  });
  if (device == routes.end()) return;
  const auto kept = netlink_.delete_foreign_routes(is_v6, table, device->route.link_index);
  if (!kept) return upkeep.add_fault(kept.error().message);
  if (*kept == Change::kNotNeeded) return;
  upkeep.count(HostPart::kRoute);
  put_back_.push_back("table " + std::to_string(table) + " without another's " +
                      (is_v6 ? "IPv6" : "IPv4") + " routes");
}

// The new rules come before the old ones go.
Result<Change> HostKeeper::go_before(std::uint32_t priority, bool is_v6,
                                     const std::vector<UndoStep>& wanted) {
  auto rules = all_of<DeleteRule>(wanted);
  std::erase_if(rules, [&](const DeleteRule& step) { return step.rule.is_v6 != is_v6; });
  std::ranges::sort(rules, {}, [](const DeleteRule& step) { return step.rule.priority; });
  const auto count = static_cast<std::uint32_t>(rules.size());
  if (priority <= count) {
    return fail("rule " + std::to_string(priority) +
                " sends everything past the tunnel, and leaves no room before it: ip rule delete "
                "priority " +
                std::to_string(priority));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    DeleteRule moved = rules[i];
    moved.rule.priority = priority - count + i;
    if (!journal_.contains(moved)) journal_.add(moved);
    journal_.desired().add(moved);
    if (auto added = netlink_.add_rule(moved.rule); !added) return added;
  }
  for (const DeleteRule& old : rules) {
    const auto deleted = netlink_.delete_rule(old.rule);
    if (deleted) journal_.forget(old);
  }
  return Change::kMade;
}

void HostKeeper::set_mtu(int link_index, std::size_t mtu) {
  for (const UndoStep& step : journal_.desired().wanted(journal_.steps())) {
    const auto* link = std::get_if<RestoreLink>(&step);
    if (!link || link->wrote.index != link_index) continue;
    RestoreLink with = *link;
    with.wrote.mtu = static_cast<std::uint32_t>(mtu);
    const bool is_journaled = journal_.contains(step);
    journal_.replace(step, with);
    journal_.desired().replace(step, with);
    if (!is_journaled) journal_.desired().add_found(with);
  }
}

void HostKeeper::move_device(int was, int now) {
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    UndoStep with = step;
    std::visit([&](auto& kind) { Move{was, now}(kind); }, with);
    journal_.replace(step, with);
    journal_.desired().replace(step, with);
  }
}

}  // namespace qdt::os
