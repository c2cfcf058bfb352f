// LinuxHostNetwork's forwarding and address translation, for servers.

#include <algorithm>
#include <iterator>

#include "os/clock.h"
#include "os/linux/access_ruleset.h"
#include "os/linux/forwarding_obstacles.h"
#include "os/linux/interface_name.h"
#include "os/linux/linux_host_network.h"
#include "os/linux/nftables.h"
#include "os/linux/sysctl.h"

namespace qdt::os {
namespace {

/// Between two looks at other firewalls' rules: at least this long, and this many times what the
/// latest look took, since rules can be many.
constexpr Duration kBetweenLooks = 2s;
constexpr int kRestAfterLook = 20;

}  // namespace

Result<void> LinuxHostNetwork::enable_forwarding() {
  Transaction transaction(journal_, logger_);
  // A client is told of no shorter way than the tunnel. The kernel takes the larger of both.
  try_sysctl(transaction, "net/ipv4/conf/" + tun_name_ + "/send_redirects", "0");
  try_sysctl(transaction, "net/ipv4/conf/all/send_redirects", "0");
  transaction.commit();
  return enable_forwarding(/*is_v6=*/false);
}

Result<void> LinuxHostNetwork::enable_ipv6_forwarding() {
  return enable_forwarding(/*is_v6=*/true);
}

Result<void> LinuxHostNetwork::enable_forwarding(bool is_v6) {
  const std::string words = is_v6 ? "IPv6 forwarding" : "IPv4 forwarding";
  auto claim = claim_forwarding(is_v6, tun_name_);
  if (!claim) return fail("switch on " + words + ": " + claim.error().message);
  // A device that is made again begins with the default, which may be another by then.
  const auto let_device_forward = [&](Transaction& transaction) {
    const std::string family = is_v6 ? "ipv6" : "ipv4";
    try_sysctl(transaction, "net/" + family + "/conf/" + tun_name_ + "/forwarding", "1");
  };
  if (!claim->before) {
    Transaction transaction(journal_, logger_);
    const std::string setting = forwarding_sysctl(is_v6);
    transaction.want(RestoreSysctl{.name = setting, .was = "1", .wrote = "1"});
    want_interfaces_as_they_are(transaction, is_v6);
    let_device_forward(transaction);
    transaction.commit();
    const auto installed = install_forward_rules();
    if (!installed) logger_.warning(installed.error().message + "; clients may get ICMP redirects");
    return {};
  }

  const RestoreForwarding before = *claim->before;
  closed_.push_back({.is_v6 = is_v6, .from = before.closed, .to = before.closed});
  std::ranges::copy(before.forwarding, std::back_inserter(closed_.back().to));
  // The rules first: at no time is the host a router for everybody.
  if (auto installed = install_forward_rules(); !installed) {
    give_up(std::move(*claim));
    return fail("switch on " + words + ": " + installed.error().message +
                "; or have rules of your own, and forwarding on before the server starts");
  }
  Transaction transaction(journal_, logger_);
  const auto change = transaction.change(before, [&] { return switch_forwarding_on(before); });
  if (!change) {
    give_up(std::move(*claim));
    return fail("switch on " + words + ": " + change.error().message);
  }
  want_interfaces_as_they_are(transaction, is_v6);
  let_device_forward(transaction);
  transaction.commit();
  watch_writes(*claim);
  claims_.push_back(std::move(*claim));
  logger_.info(words + " switched on; it was off. The networks that this host is in now stay " +
               "separate: only " + tun_name_ + " and devices that come later are forwarded for");
  return {};
}

// The switch for all stays on when somebody switches one interface off. In IPv4 that interface's
// packets are forwarded no more; IPv6 looks at the switch for all alone. "default" is for
// interfaces that are made again.
void LinuxHostNetwork::want_interfaces_as_they_are(Transaction& transaction, bool is_v6) {
  const std::string family = is_v6 ? "ipv6" : "ipv4";
  for (const std::string& name : configured_interfaces(family)) {
    if (name == "all" || name == "lo" || name == tun_name_) continue;
    const std::string setting = "net/" + family + "/conf/" + name + "/forwarding";
    if (read_sysctl(setting).value_or("") != "1") {
      unforwarded_.push_back({.is_v6 = is_v6, .setting = setting});
    } else if (!is_v6) {
      transaction.want(RestoreSysctl{.name = setting, .was = "1", .wrote = "1"});
    }
  }
}

// Switching all on opens what was off before us, too. Whoever switches one of them on later wants
// that: only what we have opened is closed.
void LinuxHostNetwork::keep_settings(Upkeep& upkeep) {
  const auto is_on = [](bool is_v6) {
    return read_sysctl(forwarding_sysctl(is_v6)).value_or("") == "1";
  };
  const bool was_on[] = {is_on(false), is_on(true)};
  keeper_.keep(upkeep);
  for (const Unforwarded& one : unforwarded_) {
    if (was_on[one.is_v6 ? 1 : 0] || !is_on(one.is_v6) || !has_sysctl(one.setting)) continue;
    const auto closed = write_sysctl(one.setting, "0");
    if (!closed) logger_.warning(closed.error().message);
  }
}

Result<void> LinuxHostNetwork::install_forward_rules() {
  const std::string table = forward_table_name(tun_name_);
  Transaction transaction(journal_, logger_);
  const auto installed = transaction.install_table(
      table, [rules = forward_ruleset(tun_name_, closed_)] { return run_nft(rules); });
  if (!installed) return fail("install rules about forwarding: " + installed.error().message);
  transaction.commit();
  return {};
}

Result<void> LinuxHostNetwork::limit_clients(const ClientAccess& access) {
  Transaction transaction(journal_, logger_);
  // By source routing (RFC 791), a packet names its destination where no rule looks.
  try_sysctl(transaction, "net/ipv4/conf/" + tun_name_ + "/accept_source_route", "0");
  try_sysctl(transaction, "net/ipv6/conf/" + tun_name_ + "/accept_source_route", "-1");
  try_sysctl(transaction, "net/ipv6/conf/" + tun_name_ + "/seg6_enabled", "0");
  if (refuses_anything(access)) {
    const auto set = access_.set(
        [&](const std::string& name, const std::string& flags) {
          return access_ruleset(name, flags, tun_name_, access);
        },
        transaction);
    if (!set) {
      return fail("install rules about what clients reach: " + set.error().message +
                  "; a server with nat.inbound: allow, host_access: all and deny: [] has none");
    }
  }
  transaction.commit();
  return {};
}

Result<void> LinuxHostNetwork::install_nat(const NatOptions& options) {
  if (!options.external_interface.empty()) {
    const auto is_name = check_interface_name(options.external_interface);
    if (!is_name) return fail("install address translation: " + is_name.error().message);
  }
  external_interface_ = options.external_interface;
  look_at_external_interface();
  const std::string table = nat_table_name(tun_name_);
  Transaction transaction(journal_, logger_);
  const auto installed = transaction.install_table(
      table, [rules = nat_ruleset(tun_name_, options)] { return run_nft(rules); });
  if (!installed) return fail("install address translation: " + installed.error().message);
  transaction.commit();
  const std::string pools =
      options.pool.to_string() + (options.pool6 ? " and " + options.pool6->to_string() : "");
  logger_.info("nftables table inet " + table + " made: translates " + pools +
               " on its way out, and lets packets of " + tun_name_ + " be forwarded");
  return {};
}

// One that goes and comes, as those of dial-up lines do, is none of ours to make.
void LinuxHostNetwork::look_at_external_interface() {
  if (external_interface_.empty()) return;
  const std::string subject = "nat.external_iface: ";
  const auto link = netlink_.find_link(external_interface_);
  const Result<void> is_there = link ? Result<void>() : fail(subject + link.error().message);
  external_interface_fault_.look(
      is_there, "; until it is, no address is translated and clients reach nothing",
      subject + external_interface_ + " is there", logger_);
}

std::vector<std::string> LinuxHostNetwork::forwarding_obstacles() {
  const auto generation = nft_generation();
  seen_generation_ = generation ? std::optional(*generation) : std::nullopt;
  std::vector<std::string> obstacles;
  if (carries_ipv6() && !has_ipv6_default_route()) {
    obstacles.push_back(
        "this host has no IPv6 route to the world, and so its clients have none: see ip -6 route, "
        "or serve them without IPv6 (no pool_cidr6)");
  }
  const auto chains = list_nft("list chains");
  if (!chains) {
    logger_.warning("cannot look for obstacles to forwarding: " + chains.error().message);
    return obstacles;
  }
  for (const NftTable& table :
       forward_filters(*chains, nat_table_name(tun_name_), carries_ipv6())) {
    const auto rules = list_nft("list table " + table.family + " " + table.name);
    if (!rules) continue;  // it went while we looked
    std::ranges::copy(obstacles_in(*rules, tun_name_), std::back_inserter(obstacles));
  }
  told_obstacles_ = obstacles;
  return obstacles;
}

// Another program may load its rules at any time: a firewall that is switched on, Docker.
void LinuxHostNetwork::tell_new_obstacles() {
  if (!told_obstacles_) return;
  const Timestamp begin = os::now();
  if (begin < next_look_) return;
  const auto generation = nft_generation();
  if (!generation || seen_generation_ == std::optional(*generation)) return;
  const std::vector<std::string> told = *told_obstacles_;
  const std::vector<std::string> found = forwarding_obstacles();
  next_look_ = begin + std::max(kBetweenLooks, (os::now() - begin) * kRestAfterLook);
  for (const std::string& obstacle : found) {
    if (std::ranges::find(told, obstacle) == told.end()) logger_.warning(obstacle);
  }
  if (!told.empty() && found.empty()) logger_.info("nothing stops forwarded packets any more");
}

}  // namespace qdt::os
