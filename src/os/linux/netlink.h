#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/linux/change.h"

namespace qdt::os {

/// The kernel's table of ordinary routes (RT_TABLE_MAIN).
inline constexpr std::uint32_t kMainTable = 254;
/// Tells our routes and rules from everybody else's: `ip route show proto 81` ("Q" in ASCII).
inline constexpr std::uint8_t kRouteProtocol = 81;

/// The settings of a network device that we change.
struct Link {
  int index = 0;
  std::string name;
  bool is_up = false;
  std::uint32_t mtu = 0;
  std::uint32_t queue_packets = 0;
  bool operator==(const Link&) const = default;
};

struct InterfaceAddress {
  int link_index = 0;
  IpAddress address;
  int prefix_length = 0;
  bool operator==(const InterfaceAddress&) const = default;
};

/// A route through a device; without one (index 0) its destination is unreachable, or the search
/// goes on in the next table as if this one had no route.
struct Route {
  Prefix destination;
  int link_index = 0;
  std::uint32_t table = kMainTable;
  /// The smaller of two IPv6 routes to one destination wins; 0: the kernel's own choice, 1024.
  std::uint32_t metric = 0;
  bool goes_on = false;
  bool operator==(const Route&) const = default;
};

/// Which packets look for their route in which table; lower priorities are asked first.
struct RoutingRule {
  bool is_v6 = false;
  std::uint32_t priority = 0;
  std::uint32_t table = kMainTable;
  /// Only packets without this firewall mark.
  std::optional<std::uint32_t> unless_mark;
  /// Only packets whose mark has these bits.
  std::optional<std::uint32_t> if_bits;
  /// Passes over the table's answer when its prefix is no longer than this: 0 is the default route.
  std::optional<std::uint32_t> suppress_prefix_length;
  bool operator==(const RoutingRule&) const = default;
};

/// The route that a packet would take.
struct ChosenRoute {
  int link_index = 0;  ///< 0: none, as for what is refused
  std::uint32_t table = 0;
  int prefix_length = 0;  ///< of the route's destination
  bool is_local = false;  ///< to this host itself
};

/// The kernel's network configuration (rtnetlink(7)), in this process's network namespace. Adding
/// what is there, and deleting what is not, is kNotNeeded; so is setting a device that is gone.
/// Routes and rules carry kRouteProtocol, and only such are deleted, but for
/// delete_foreign_routes(). Errors quote the kernel.
class Netlink {
 public:
  static Result<Netlink> open();
  Netlink(Netlink&&) noexcept;
  Netlink& operator=(Netlink&&) noexcept;
  ~Netlink();

  Result<Link> find_link(const std::string& name);
  Result<Link> find_link(int index);
  Result<Change> set_link(const Link& link);
  /// Changes a device that is there; all else stays.
  Result<void> set_mtu(const std::string& name, std::size_t mtu);

  /// The rest of the prefix becomes reachable through the device, unless the prefix is the address.
  Result<Change> add_address(const InterfaceAddress& address);
  Result<Change> delete_address(const InterfaceAddress& address);
  /// Makes the rest of the address's prefix reachable again, as add_address() did: for when
  /// somebody has deleted the route alone.
  Result<void> restore_prefix_route(const InterfaceAddress& address);
  /// Lets packets for the address arrive here again: for when somebody has deleted the route to it
  /// from the kernel's table of local addresses.
  Result<Change> restore_local_route(const InterfaceAddress& address);
  Result<void> rename_link(int index, const std::string& name);

  Result<Change> add_route(const Route& route);
  /// As add_route(), in place of another route to the same destination with the same metric.
  Result<void> replace_route(const Route& route);
  /// Those of `table` that carry kRouteProtocol. The kernel walks through all routes of the table.
  Result<std::vector<Route>> list_routes(bool is_v6, std::uint32_t table);
  /// How a packet of this host, without a mark, would travel to `destination`.
  Result<ChosenRoute> choose_route(const IpAddress& destination);
  Result<Change> delete_route(const Route& route);
  /// Deletes from a table of our own what others have put there: routes through devices other than
  /// `link_index`, and such as pass over the table. Routes that refuse stay, but for those of
  /// a large part of the world (up to /3). At most 256 at once.
  Result<Change> delete_foreign_routes(bool is_v6, std::uint32_t table, int link_index);

  Result<Change> add_rule(const RoutingRule& rule);
  Result<Change> delete_rule(const RoutingRule& rule);
  /// The priorities of all rules for `table`, ours among them, in the order in which they are
  /// asked.
  Result<std::vector<std::uint32_t>> rule_priorities(bool is_v6, std::uint32_t table);

 private:
  struct Socket;
  Netlink(std::unique_ptr<Socket> socket, std::unique_ptr<Socket> dumps);
  std::unique_ptr<Socket> socket_;
  std::unique_ptr<Socket> dumps_;  // whose lists hold what was asked for alone
};

}  // namespace qdt::os
