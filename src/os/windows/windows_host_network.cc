#include "os/windows/windows_host_network.h"

#include <algorithm>
#include <array>
#include <utility>

namespace qdt::os {
namespace {

/// Below what Windows gives to networks of its own (25 for an Ethernet of a gigabit), so that
/// name servers of this interface are asked first.
constexpr std::uint32_t kTunnelMetric = 5;
constexpr std::size_t kMinIpv6Mtu = 1280;
constexpr std::size_t kMinIpv4Mtu = 576;  // Windows takes none below

IpAddress on_link(IpFamily family) {
  return IpAddress::unspecified(family == IpFamily::kV4);
}

WindowsRoute route_into(InterfaceId tun, const Prefix& destination) {
  return {.destination = destination,
          .link = tun,
          .next_hop = on_link(family_of(destination.address())),
          .metric = 0};
}

std::vector<Prefix> halves(IpFamily family) {
  if (family == IpFamily::kV4) return {*Prefix::parse("0.0.0.0/1"), *Prefix::parse("128.0.0.0/1")};
  return {*Prefix::parse("::/1"), *Prefix::parse("8000::/1")};
}

bool contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

std::unexpected<Error> is_for_servers(const std::string& what) {
  return fail(what + ": a host with Windows can be a client of QDT, but no server");
}

}  // namespace

WindowsHostNetwork::WindowsHostNetwork(std::string tun_name, UndoJournal journal,
                                       std::unique_ptr<NetworkCalls> calls, Logger& logger)
    : tun_name_(std::move(tun_name)),
      calls_(std::move(calls)),
      journal_(std::move(journal)),
      logger_(logger),
      undo_([this](const UndoStep& step) { return undo(step, *calls_); }) {}

WindowsHostNetwork::~WindowsHostNetwork() {
  journal_.undo_down_to(0, undo_, logger_);
}

Result<void> WindowsHostNetwork::limit_clients(const ClientAccess&) {
  return is_for_servers("limit what clients reach");
}

Result<void> WindowsHostNetwork::enable_forwarding() {
  return is_for_servers("switch on IPv4 forwarding");
}

Result<void> WindowsHostNetwork::enable_ipv6_forwarding() {
  return is_for_servers("switch on IPv6 forwarding");
}

Result<void> WindowsHostNetwork::install_nat(const NatOptions&) {
  return is_for_servers("install address translation");
}

Result<InterfaceId> WindowsHostNetwork::find_tun() {
  const auto interfaces = calls_->interfaces();
  if (!interfaces) return fail(interfaces);
  const auto found = std::ranges::find(*interfaces, tun_name_, &Interface::name);
  if (found != interfaces->end()) return found->id;
  return fail("there is no network adapter " + tun_name_ +
              "; has somebody disabled or removed it (Network Connections)?");
}

bool WindowsHostNetwork::carries_ipv6() const {
  return std::ranges::any_of(addresses_,
                             [](const OwnAddress& mine) { return mine.address.is_v6(); });
}

// ---- The device itself

Result<void> WindowsHostNetwork::configure_tun(std::span<const TunAddress> addresses,
                                               std::size_t mtu) {
  const auto tun = find_tun();
  if (!tun) return fail(tun);
  std::vector<OwnAddress> wanted;
  std::string names;
  for (const auto& [address, length] : addresses) {
    wanted.push_back({.link = *tun, .address = address, .prefix_length = length});
    names += (names.empty() ? "" : " and ") + address.to_string() + "/" + std::to_string(length);
  }
  const bool has_ipv6 = std::ranges::any_of(
      wanted, [](const OwnAddress& address) { return address.address.is_v6(); });

  Transaction transaction(journal_, *calls_, logger_);
  if (auto ok = settle_ip(transaction, *tun, IpFamily::kV4, mtu); !ok) return ok;
  const auto settled =
      has_ipv6 ? settle_ip(transaction, *tun, IpFamily::kV6, mtu) : silence_ipv6(transaction, *tun);
  if (!settled) return settled;
  if (auto ok = add_addresses(transaction, wanted); !ok) return ok;
  transaction.commit();

  addresses_ = std::move(wanted);
  remove_older_addresses();
  merge_steps();
  logger_.info(tun_name_ + " is up with " + names + ", MTU " + std::to_string(mtu));
  return {};
}

Result<void> WindowsHostNetwork::settle_ip(Transaction& transaction, InterfaceId tun,
                                           IpFamily family, std::size_t mtu) {
  const bool is_v6 = family == IpFamily::kV6;
  const std::string doing =
      tun_name_ + ": set the MTU of IPv" + (is_v6 ? "6" : "4") + " to " + std::to_string(mtu);
  const std::size_t least = is_v6 ? kMinIpv6Mtu : kMinIpv4Mtu;
  if (mtu < least) {
    return fail(doing + ": Windows takes none below " + std::to_string(least));
  }
  const auto now = calls_->ip_settings(tun, family);
  if (!now) {
    return fail(doing + ": " + now.error().message +
                (is_v6 ? "; is IPv6 switched off in this host? Switch it on, or have a server "
                         "without IPv6 (no pool_cidr6)"
                       : ""));
  }
  const IpSettings wanted{.mtu = static_cast<std::uint32_t>(mtu),
                          .has_automatic_metric = false,
                          .metric = kTunnelMetric,
                          .configures_itself = false};
  if (*now == wanted) return {};
  const auto set = transaction.change(
      RestoreIpSettings{.link = tun, .family = family, .was = *now, .wrote = wanted},
      [&] { return calls_->set_ip_settings(tun, family, wanted); });
  if (!set) return fail(doing + ": " + set.error().message);
  return {};
}

// No link-local address, no looking for routers. Good to have: packets of either would be dropped
// by the tunnel.
Result<void> WindowsHostNetwork::silence_ipv6(Transaction& transaction, InterfaceId tun) {
  const auto now = calls_->ip_settings(tun, IpFamily::kV6);
  if (!now || !now->configures_itself) return {};
  IpSettings wanted = *now;
  wanted.configures_itself = false;
  const auto set = transaction.change(
      RestoreIpSettings{.link = tun, .family = IpFamily::kV6, .was = *now, .wrote = wanted},
      [&] { return calls_->set_ip_settings(tun, IpFamily::kV6, wanted); });
  if (!set) logger_.debug("done without: " + set.error().message);
  return {};
}

Result<void> WindowsHostNetwork::add_addresses(Transaction& transaction,
                                               std::span<const OwnAddress> wanted) {
  const auto existing = calls_->addresses();
  if (!existing) return fail(existing);
  for (const OwnAddress& address : wanted) {
    const std::string doing = "give " + tun_name_ + " the address " + address.address.to_string();
    const RemoveAddress step{address};
    if (journal_.contains(step) && contains(*existing, address)) continue;
    const auto same = std::ranges::find(*existing, address.address, &OwnAddress::address);
    if (same != existing->end() && same->link != address.link) {
      return fail(doing +
                  ": another network adapter of this host has it (ipconfig /all); "
                  "is the host in a network with the same addresses as the tunnel's?");
    }
    const auto added = transaction.change(step, [&]() -> Result<void> {
      if (contains(*existing, address)) return {};  // left by a process whose journal is lost
      return calls_->add_address(address);
    });
    if (!added) return fail(doing + ": " + added.error().message);
  }
  return {};
}

void WindowsHostNetwork::remove_older_addresses() {
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* older = std::get_if<RemoveAddress>(&step);
    if (older && !contains(addresses_, older->address)) journal_.undo_one(step, undo_, logger_);
  }
}

namespace {

// The step that does what both do, the second after the first.
std::optional<UndoStep> merged(const UndoStep& first, const UndoStep& second) {
  const auto* older = std::get_if<RestoreIpSettings>(&first);
  const auto* newer = std::get_if<RestoreIpSettings>(&second);
  const bool is_same = older && newer && older->link == newer->link &&
                       older->family == newer->family && older->wrote == newer->was;
  if (is_same) {
    return RestoreIpSettings{older->link, older->family, older->was, newer->wrote};
  }
  const auto* older_dns = std::get_if<RestoreDns>(&first);
  const auto* newer_dns = std::get_if<RestoreDns>(&second);
  const bool is_same_dns = older_dns && newer_dns && older_dns->link == newer_dns->link &&
                           older_dns->family == newer_dns->family &&
                           older_dns->wrote == newer_dns->was;
  if (!is_same_dns) return std::nullopt;
  return RestoreDns{older_dns->link, older_dns->family, older_dns->was, newer_dns->wrote};
}

}  // namespace

void WindowsHostNetwork::merge_steps() {
  const std::vector<UndoStep> steps = journal_.steps();
  for (std::size_t first = 0; first < steps.size(); ++first) {
    for (std::size_t second = first + 1; second < steps.size(); ++second) {
      const auto both = merged(steps[first], steps[second]);
      if (!both) continue;
      journal_.add(*both);
      journal_.forget(steps[first]);
      journal_.forget(steps[second]);
      return merge_steps();
    }
  }
}

Result<void> WindowsHostNetwork::set_tun_mtu(std::size_t mtu) {
  const auto tun = find_tun();
  if (!tun) return fail(tun);
  Transaction transaction(journal_, *calls_, logger_);
  if (auto ok = settle_ip(transaction, *tun, IpFamily::kV4, mtu); !ok) return ok;
  if (carries_ipv6()) {
    if (auto ok = settle_ip(transaction, *tun, IpFamily::kV6, mtu); !ok) return ok;
  }
  transaction.commit();
  merge_steps();
  return {};
}

// ---- Routes

Result<void> WindowsHostNetwork::add_route(Transaction& transaction,
                                           std::span<const WindowsRoute> existing,
                                           const WindowsRoute& route) {
  const RemoveRoute step{route};
  const bool is_there = contains(existing, route);
  if (is_there && journal_.contains(step)) return {};
  journal_.forget(step);  // somebody removed it
  return transaction.change(step, [&]() -> Result<void> {
    if (is_there) return {};  // left by a process whose journal is lost: ours from now on
    return calls_->add_route(route);
  });
}

Result<void> WindowsHostNetwork::check_unrouted(std::span<const WindowsRoute> existing,
                                                const WindowsRoute& route) {
  const auto other = std::ranges::find_if(existing, [&](const WindowsRoute& one) {
    return one.destination == route.destination && one.link != route.link && !is_pin(one);
  });
  if (other == existing.end()) return {};
  return fail(
      "this host has another route to it (route print), by " +
      (other->next_hop.is_unspecified() ? "an adapter of its own" : other->next_hop.to_string()) +
      "; remove that, or keep it with exclude");
}

Result<void> WindowsHostNetwork::route_only(std::span<const Prefix> destinations) {
  const auto tun = find_tun();
  if (!tun) return fail(tun);
  const auto existing = calls_->routes();
  if (!existing) return fail(existing);

  Transaction transaction(journal_, *calls_, logger_);
  std::vector<WindowsRoute> wanted;
  std::vector<Prefix> lost;
  for (const Prefix& destination : destinations) {
    if (destination.address().is_v6() && !carries_ipv6()) {
      lost.push_back(destination);  // what was to go there goes nowhere else
      continue;
    }
    const WindowsRoute route = route_into(*tun, destination);
    const auto is_free = check_unrouted(*existing, route);
    const auto added = is_free ? add_route(transaction, *existing, route) : is_free;
    if (!added) {
      return fail("route " + destination.to_string() + " through " + tun_name_ + ": " +
                  added.error().message);
    }
    wanted.push_back(route);
  }
  if (auto ok = refuse({.tun = *tun, .destinations = lost}); !ok) return ok;
  transaction.commit();

  for (const Prefix& destination : destinations) {
    logger_.info(destination.to_string() + (contains(lost, destination)
                                                ? " is refused: the tunnel carries no IPv6"
                                                : " is routed through " + tun_name_));
  }
  takes_everything_ = false;
  lost_ = std::move(lost);
  remove_other_routes(wanted, /*are_pins=*/false);
  remove_other_routes({}, /*are_pins=*/true);
  return {};
}

void WindowsHostNetwork::remove_other_routes(std::span<const WindowsRoute> wanted, bool are_pins) {
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* older = std::get_if<RemoveRoute>(&step);
    if (!older || is_pin(older->route) != are_pins || contains(wanted, older->route)) continue;
    journal_.undo_one(step, undo_, logger_);
  }
}

Result<std::vector<WindowsRoute>> WindowsHostNetwork::wanted_pins() {
  const auto surroundings = look_around(*calls_);
  if (!surroundings) return fail(surroundings);
  std::vector<Prefix> outside = outside_.destinations;
  if (outside_.server) outside.push_back(Prefix::of_host(*outside_.server));
  std::vector<WindowsRoute> pins;
  for (const Prefix& prefix : outside) {
    if (const auto pin = pinned_route(*surroundings, prefix)) pins.push_back(*pin);
  }
  std::ranges::sort(pins);
  pins.erase(std::ranges::unique(pins).begin(), pins.end());
  return pins;
}

Result<void> WindowsHostNetwork::route_everything_through_tunnel() {
  const std::string doing = "route everything through " + tun_name_;
  const auto tun = find_tun();
  if (!tun) return fail(tun);
  const auto existing = calls_->routes();
  if (!existing) return fail(existing);
  const auto pins = wanted_pins();
  if (!pins) return fail(doing + ": " + pins.error().message);

  Transaction transaction(journal_, *calls_, logger_);
  // The server's own route first: the tunnel's packets are on their way.
  for (const WindowsRoute& pin : *pins) {
    const auto pinned = add_route(transaction, *existing, pin);
    if (!pinned) {
      return fail("leave " + pin.destination.to_string() + " outside of " + tun_name_ + ": " +
                  pinned.error().message);
    }
  }
  std::vector<WindowsRoute> wanted;
  for (const Prefix& half : halves(IpFamily::kV4)) wanted.push_back(route_into(*tun, half));
  if (carries_ipv6()) {
    for (const Prefix& half : halves(IpFamily::kV6)) wanted.push_back(route_into(*tun, half));
  }
  for (const WindowsRoute& route : wanted) {
    const auto added = add_route(transaction, *existing, route);
    if (!added) return fail(doing + ": " + added.error().message);
  }
  const bool took_everything = std::exchange(takes_everything_, true);
  const auto refusals = wanted_refusals(*tun);
  const auto refused = refusals ? refuse(*refusals) : Result<void>(fail(refusals));
  if (!refused) {
    takes_everything_ = took_everything;
    return fail("refuse what goes around " + tun_name_ + ": " + refused.error().message);
  }
  transaction.commit();

  lost_.clear();
  remove_other_routes(wanted, /*are_pins=*/false);
  remove_other_routes(*pins, /*are_pins=*/true);
  logger_.info((carries_ipv6() ? "all traffic is routed through " + tun_name_
                               : "all IPv4 traffic is routed through " + tun_name_ +
                                     ", all IPv6 traffic refused") +
               "; local networks stay as they are");
  return {};
}

// ---- What is refused

// IPv6 is refused in the sense in which IPv4 is routed: what has a route of its own, narrower than
// half of everything, stays as it is.
Result<Refusals> WindowsHostNetwork::wanted_refusals(InterfaceId tun) {
  Refusals refusals{.tun = tun, .destinations = lost_};
  if (!takes_everything_) return refusals;
  refusals.refuses_dns = true;
  refusals.name_servers = outside_.name_servers;
  if (carries_ipv6()) return refusals;
  const auto surroundings = look_around(*calls_);
  if (!surroundings) return fail(surroundings);
  refusals.refuses_ipv6 = true;
  refusals.ipv6_outside = outside_.destinations;
  for (const WindowsRoute& route : surroundings->routes) {
    if (route.destination.length() > 1) refusals.ipv6_outside.push_back(route.destination);
  }
  std::erase_if(refusals.ipv6_outside,
                [](const Prefix& prefix) { return prefix.address().is_v4(); });
  std::ranges::sort(refusals.ipv6_outside);
  const auto [rest, end] = std::ranges::unique(refusals.ipv6_outside);
  refusals.ipv6_outside.erase(rest, end);
  return refusals;
}

Result<void> WindowsHostNetwork::refuse(const Refusals& refusals) {
  if (refusals.is_empty()) {
    filters_.reset();
    refusals_ = refusals;
    return {};
  }
  if (filters_) {
    if (auto ok = filters_->replace(filters_of(refusals)); !ok) return ok;
  } else {
    auto session = calls_->open_filters("QDT " + tun_name_);
    if (!session) return fail(session);
    if (auto ok = (*session)->replace(filters_of(refusals)); !ok) return ok;
    filters_ = std::move(*session);
  }
  refusals_ = refusals;
  return {};
}

}  // namespace qdt::os
