#include "os/linux/default_route.h"

#include "os/file.h"
#include "os/host_network.h"

namespace qdt::os {
namespace {

/// Behind the rules that people write, before the kernel's own for the main table (32766). The
/// first sends to the main table what answers a connection from outside; the second sends to our
/// table what is not the tunnel's own.
constexpr std::uint32_t kMainTablePriority = 20804;  // "QD" in ASCII
constexpr std::uint32_t kTunnelTablePriority = kMainTablePriority + 1;
constexpr std::uint32_t kTunnelTable = kTunnelMark;
/// Behind an IPv6 route into the tunnel, which goes with the device's address.
constexpr std::uint32_t kUnreachableMetric = 2048;

// A table that is there already, but has no route through a living device, was left by a crashed
// process whose journal is lost: from now on it is ours.
Result<Change> taken_over(const Result<Change>& change) {
  return change ? Change::kMade : change;
}

Result<void> add_to_tunnel_table(const Route& route, Netlink& netlink, Transaction& transaction) {
  const bool is_v6 = route.destination.address().is_v6();
  const auto routed = transaction.change(DeleteRoute{route}, [&] {
    const auto added = netlink.add_route(route);
    return is_v6 ? taken_over(added) : added;
  });
  if (!routed) return fail(routed);
  if (*routed == Change::kNotNeeded) {
    return fail("another tunnel does so already (ip route show table " +
                std::to_string(kTunnelTable) + "); stop that first");
  }
  return {};
}

Result<void> send_to_tunnel_table(const Route& route, Netlink& netlink, Transaction& transaction) {
  const bool is_v6 = route.destination.address().is_v6();
  const auto added = add_to_tunnel_table(route, netlink, transaction);
  if (!added) return added;
  const RoutingRule rules[] = {{.is_v6 = is_v6,
                                .priority = kMainTablePriority,
                                .table = kMainTable,
                                .unless_mark = std::nullopt,
                                .if_bits = kOutsideBit,
                                .suppress_prefix_length = std::nullopt},
                               {.is_v6 = is_v6,
                                .priority = kTunnelTablePriority,
                                .table = kTunnelTable,
                                .unless_mark = kTunnelMark,
                                .if_bits = std::nullopt,
                                .suppress_prefix_length = std::nullopt}};
  for (const RoutingRule& rule : rules) {
    const auto ruled =
        transaction.change(DeleteRule{rule}, [&] { return taken_over(netlink.add_rule(rule)); });
    if (!ruled) return fail(ruled);
  }
  return {};
}

}  // namespace

Route route_outside(const Prefix& prefix) {
  return {.destination = prefix, .link_index = 0, .table = kTunnelTable, .goes_on = true};
}

Route route_inside(const Prefix& prefix, int link_index) {
  return {.destination = prefix, .link_index = link_index, .table = kTunnelTable};
}

// A route in our table that says: look further. The main table then decides, by its default route
// if need be, and as networks come and go.
Result<void> leave_outside(std::span<const Prefix> outside, Netlink& netlink,
                           Transaction& transaction) {
  for (const Prefix& prefix : outside) {
    const Route route = route_outside(prefix);
    const auto left = transaction.change(DeleteRoute{route},
                                         [&] { return taken_over(netlink.add_route(route)); });
    if (!left) return fail(left);
  }
  return {};
}

Result<void> keep_inside(std::span<const Prefix> inside, int link_index, Netlink& netlink,
                         Transaction& transaction) {
  for (const Prefix& prefix : inside) {
    const Route route = route_inside(prefix, link_index);
    const auto kept = transaction.change(DeleteRoute{route},
                                         [&] { return taken_over(netlink.add_route(route)); });
    if (!kept) return fail(kept);
  }
  return {};
}

bool is_exception(const Route& route) {
  return route.table == kTunnelTable && route.destination.length() > 0;
}

Result<void> claim_tunnel_table(int link_index, Netlink& netlink, Transaction& transaction) {
  const Route route{
      .destination = Prefix(IpAddress(), 0), .link_index = link_index, .table = kTunnelTable};
  return add_to_tunnel_table(route, netlink, transaction);
}

Result<void> make_default_route(int link_index, bool carries_ipv6, Netlink& netlink,
                                Transaction& transaction) {
  const Route v4{
      .destination = Prefix(IpAddress(), 0), .link_index = link_index, .table = kTunnelTable};
  const auto routed = send_to_tunnel_table(v4, netlink, transaction);
  if (!routed || !file_exists("/proc/net/if_inet6")) return routed;  // a kernel without IPv6

  Route v6{.destination = Prefix(IpAddress::unspecified(/*is_v4=*/false), 0),
           .link_index = 0,
           .table = kTunnelTable,
           .metric = kUnreachableMetric};
  const auto refused = send_to_tunnel_table(v6, netlink, transaction);
  if (!refused || !carries_ipv6) return refused;
  v6.link_index = link_index;
  v6.metric = 0;
  return send_to_tunnel_table(v6, netlink, transaction);
}

}  // namespace qdt::os
