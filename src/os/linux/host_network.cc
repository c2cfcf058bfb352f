#include "os/host_network.h"

#include <unistd.h>

#include <algorithm>
#include <ranges>
#include <vector>

#include "os/file.h"
#include "os/linux/interface_name.h"
#include "os/linux/kill_switch.h"
#include "os/linux/leftovers.h"
#include "os/linux/linux_host_network.h"
#include "os/linux/nftables.h"
#include "os/linux/sysctl.h"

namespace qdt::os {
namespace {

constexpr std::uint32_t kMinQueuePackets = 1000;

}  // namespace

Result<Change> LinuxHostNetwork::set_sysctl(Transaction& transaction, const std::string& name,
                                            const std::string& value) {
  const auto was = read_sysctl(name);
  if (!was) return fail(was);
  if (*was == value) {
    transaction.want(RestoreSysctl{name, value, value});
    return Change::kNotNeeded;
  }
  return transaction.change(RestoreSysctl{name, *was, value},
                            [&] { return write_sysctl(name, value); });
}

// For what is good to have: a container's /proc/sys may be read-only, a kernel without IPv6.
void LinuxHostNetwork::try_sysctl(Transaction& transaction, const std::string& name,
                                  const std::string& value) {
  const auto set = set_sysctl(transaction, name, value);
  if (!set) logger_.debug("done without: " + set.error().message);
}

bool LinuxHostNetwork::carries_ipv6() const {
  return std::ranges::any_of(addresses_,
                             [](const InterfaceAddress& mine) { return mine.address.is_v6(); });
}

Result<void> LinuxHostNetwork::configure_tun(std::span<const TunAddress> addresses,
                                             std::size_t mtu) {
  const auto link = netlink_.find_link(tun_name_);
  if (!link) return fail(link);
  link_index_ = link->index;

  Transaction transaction(journal_, logger_);
  std::vector<InterfaceAddress> wanted;
  std::string names;
  for (const auto& [address, prefix_length] : addresses) {
    wanted.push_back({link->index, address, prefix_length});
    names +=
        (names.empty() ? "" : " and ") + address.to_string() + "/" + std::to_string(prefix_length);
  }
  const bool has_ipv6 = std::ranges::any_of(
      addresses, [](const TunAddress& address) { return address.address.is_v6(); });
  // Off until we have said how it is to be used; and for good where the tunnel carries none.
  if (!has_ipv6 || !link->is_up) {
    try_sysctl(transaction, "net/ipv6/conf/" + tun_name_ + "/disable_ipv6", "1");
  }
  const auto is_up = bring_up(transaction, *link, mtu);
  if (!is_up) return fail(is_up);
  if (has_ipv6) {
    if (const auto allowed = allow_ipv6(transaction); !allowed) return fail(allowed);
  }
  for (const InterfaceAddress& address : wanted) {
    const auto added =
        transaction.change(DeleteAddress{address}, [&] { return netlink_.add_address(address); });
    if (!added) return fail(tun_name_ + ": " + added.error().message);
  }
  transaction.commit();

  addresses_ = std::move(wanted);
  delete_older_addresses();
  if (policy_.is_set()) {
    Transaction renewal(journal_, logger_);  // it names the addresses
    const auto renewed = policy_.protect(device(link->index), renewal);
    if (!renewed) return renewed;
    renewal.commit();
  }
  logger_.info(tun_name_ + " is up with " + (names.empty() ? "no address" : names) + ", MTU " +
               std::to_string(mtu));
  return {};
}

Result<void> LinuxHostNetwork::set_tun_mtu(std::size_t mtu) {
  if (auto set = netlink_.set_mtu(tun_name_, mtu); !set) return set;
  keeper_.set_mtu(link_index_, mtu);
  return {};
}

Result<void> LinuxHostNetwork::bring_up(Transaction& transaction, const Link& link,
                                        std::size_t mtu) {
  // Another address of the same prefix replaces this one without the routes going: without it, the
  // kernel deletes the newer address, being secondary, together with the older.
  try_sysctl(transaction, "net/ipv4/conf/" + tun_name_ + "/promote_secondaries", "1");

  const Link wanted{.index = link.index,
                    .name = link.name,
                    .is_up = true,
                    .mtu = static_cast<std::uint32_t>(mtu),
                    .queue_packets = std::max(link.queue_packets, kMinQueuePackets)};
  if (wanted == link) {
    transaction.want(RestoreLink{.was = link, .wrote = wanted});
    return {};
  }
  const auto set = transaction.change(RestoreLink{.was = link, .wrote = wanted},
                                      [&] { return netlink_.set_link(wanted); });
  if (!set) return fail(tun_name_ + ": " + set.error().message);
  return {};
}

// Addresses are ours to give: the kernel makes none of its own, and looks for no router.
Result<void> LinuxHostNetwork::allow_ipv6(Transaction& transaction) {
  const std::string device = "net/ipv6/conf/" + tun_name_;
  try_sysctl(transaction, device + "/addr_gen_mode", "1");
  try_sysctl(transaction, device + "/accept_ra", "0");
  const auto allowed = set_sysctl(transaction, device + "/disable_ipv6", "0");
  if (!allowed) {
    return fail("give " + tun_name_ + " an IPv6 address: " + allowed.error().message +
                (can_use_ipv6() ? "" : "; this kernel has no IPv6"));
  }
  return {};
}

void LinuxHostNetwork::delete_older_addresses() {
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* older = std::get_if<DeleteAddress>(&step);
    if (older && std::ranges::find(addresses_, older->address) == addresses_.end()) {
      journal_.undo_one(step, undo, logger_);
    }
  }
}

Result<void> LinuxHostNetwork::route_everything_through_tunnel() {
  const auto link = netlink_.find_link(tun_name_);
  if (!link) return fail(link);

  Transaction transaction(journal_, logger_);
  const auto marks_count = set_sysctl(transaction, "net/ipv4/conf/all/src_valid_mark", "1");
  if (!marks_count) warn_of_lost_answers(marks_count.error());
  const auto routed = policy_.route_everything(device(link->index), outside_, transaction);
  if (!routed) return routed;
  transaction.commit();
  policy_.settle(device(link->index));
  return {};
}

TunnelPolicy::Device LinuxHostNetwork::device(int link_index) const {
  TunnelPolicy::Device device{.link_index = link_index};
  for (const InterfaceAddress& mine : addresses_) device.inner.push_back(mine.address);
  return device;
}

void LinuxHostNetwork::warn_of_lost_answers(const Error& error) {
  logger_.warning("a strict reverse path filter (rp_filter=1) would drop the server's answers: " +
                  error.message);
}

Result<void> LinuxHostNetwork::route_only(std::span<const Prefix> destinations) {
  const auto link = netlink_.find_link(tun_name_);
  if (!link) return fail(link);
  const auto route_to = [&](const Prefix& destination) {
    // Without IPv6 in the tunnel, what was to go there goes nowhere else.
    const bool is_lost = destination.address().is_v6() && !carries_ipv6();
    return Route{.destination = destination, .link_index = is_lost ? 0 : link->index};
  };
  Transaction transaction(journal_, logger_);
  if (const auto guarded = policy_.protect(device(link->index), transaction); !guarded) {
    logger_.warning("packets for the tunnel's addresses are taken from any network: " +
                    guarded.error().message);
  }
  std::vector<UndoStep> wanted;
  for (const Prefix& destination : destinations) {
    const Route route = route_to(destination);
    const auto added =
        transaction.change(DeleteRoute{route}, [&] { return netlink_.add_route(route); });
    if (!added) return fail(tun_name_ + ": " + added.error().message);
    if (*added == Change::kNotNeeded) {
      return fail("route " + destination.to_string() + " through " + tun_name_ +
                  ": this host has another route to it (ip route show " + destination.to_string() +
                  "); exclude keeps it as it is");
    }
    wanted.emplace_back(DeleteRoute{route});
    logger_.info(destination.to_string() + " is routed through " + tun_name_);
  }
  transaction.commit();

  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* older = std::get_if<DeleteRoute>(&step);
    if (!older || older->route.table != kMainTable) continue;
    if (std::ranges::find(wanted, step) == wanted.end()) journal_.undo_one(step, undo, logger_);
  }
  return {};
}

Result<void> LinuxHostNetwork::use_dns(const NameServerWish& wish) {
  const auto link = netlink_.find_link(tun_name_);
  if (!link) return fail(link);
  return dns_.use(wish, link->index);
}

std::vector<NameServer> LinuxHostNetwork::name_servers_outside() {
  return dns_.outside();
}

bool can_use_ipv6() {
  if (!file_exists("/proc/net/if_inet6")) return false;
  // New devices begin with this; without it, they can be told otherwise.
  const auto disabled = read_sysctl("net/ipv6/conf/default/disable_ipv6");
  return disabled &&
         (*disabled == "0" || ::access("/proc/sys/net/ipv6/conf/default/disable_ipv6", W_OK) == 0);
}

void undo_all_but_nat(UndoJournal& journal, const std::string& tun_name, Logger& logger) {
  const UndoStep nat = DeleteNftTable{nat_table_name(tun_name)};
  const std::vector<UndoStep> steps = journal.steps();
  for (const UndoStep& step : steps | std::views::reverse) {
    if (step != nat) journal.undo_one(step, undo, logger);
  }
}

Result<std::unique_ptr<HostNetwork>> open_host_network(const std::string& tun_name, Logger& logger,
                                                       LeftoverNat leftover_nat) {
  if (const auto is_name = check_interface_name(tun_name); !is_name) return fail(is_name);
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink);
  const auto lock = lock_journals(kJournalDirectory);
  if (!lock) return fail(lock);

  auto journal = open_journal(kJournalDirectory, tun_name, logger);
  if (!journal) return fail(journal);
  if (leftover_nat == LeftoverNat::kKept) {
    undo_all_but_nat(*journal, tun_name, logger);
  } else {
    journal->undo_down_to(0, undo, logger);
  }
  auto others = find_journals(kJournalDirectory);
  std::erase(others, tun_name);
  log_kill_switches(others, logger);
  std::erase_if(others, is_kill_switch_journal);
  undo_leftovers(others, logger);
  return std::make_unique<LinuxHostNetwork>(tun_name, std::move(*journal), std::move(*netlink),
                                            logger);
}

}  // namespace qdt::os
