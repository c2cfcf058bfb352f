#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/host_access.h"
#include "base/ip_address.h"
#include "base/logger.h"
#include "base/name_server.h"
#include "base/result.h"
#include "os/upkeep.h"

namespace qdt::os {

/// Marks the tunnel's own outer packets, so that they stay outside when everything else is routed
/// through it. ("QDT" in ASCII; also the number of the client's routing table.)
inline constexpr std::uint32_t kTunnelMark = 0x514454;

/// An address of the TUN device.
struct TunAddress {
  IpAddress address;
  /// Below the address's full length it makes the rest of that prefix reachable through the device.
  int prefix_length = 0;
};

/// Address translation for a server's clients.
struct NatOptions {
  Prefix pool;
  /// The interface to the world; empty means any but the TUN device.
  std::string external_interface;
  /// The IPv6 addresses to be translated too; without, IPv6 goes out as it is.
  std::optional<Prefix> pool6;
};

/// The networks that clients reach through their server, and those that reach them.
struct ClientAccess {
  /// IPv4 from outside reaches clients only as an answer, an ICMP error that belongs to one, or
  /// what another program of the host redirects to them.
  bool answers_only = true;
  bool answers_only6 = true;  ///< IPv6 likewise
  bool reach_each_other = true;
  HostAccess host = HostAccess::kPing;
  /// Not to be reached by clients, whether the host has the address or routes to it; at most 64.
  std::vector<Prefix> denied;
  /// Their port 53 is reached in spite of `host` and `denied`; at most 64.
  std::vector<IpAddress> name_servers;
  /// install_nat() follows.
  bool follows_connections = true;
};

/// The exceptions to a tunnel that takes everything.
struct Outside {
  std::vector<Prefix> destinations;
  /// Where the tunnel's own packets go, for a system that has no marks for these: there, all
  /// packets to this address stay outside.
  std::optional<IpAddress> server;
  /// DNS to these is not refused where they are outside.
  std::vector<IpAddress> name_servers;
  /// Networks that this host is in stay outside, too, where their addresses are private or
  /// link-local, and local multicast does.
  bool private_networks = true;
  /// So do answers to connections that come in from outside.
  bool answers = true;
  /// Never outside, even where a network outside is wider: the tunnel's own addresses.
  std::vector<Prefix> inside;
};

/// The name servers that a tunnel wants this host to ask.
struct NameServerWish {
  std::vector<NameServer> servers;  ///< none: the host's stay as they are
  /// Only names of these domains and below are asked of them; empty: every name is.
  std::vector<std::string> domains;
  /// On a host that cannot tell names apart, they are to answer for every name.
  bool may_take_all_names = false;

  bool operator==(const NameServerWish&) const = default;
};

/// Changes to this host's network on behalf of one TUN device. They last as long as the object:
/// destroying it undoes them, newest first, and puts back exactly what was there. Each change is
/// noted on disk before it is made, so that after a crash clean_up_host_network(), or the next
/// open_host_network() for the same device, undoes what was left. One thread. Every function says
/// in its error what it was doing, why that failed and how to mend it; a function that fails leaves
/// nothing half done.
class HostNetwork {
 public:
  virtual ~HostNetwork() = default;

  /// Gives the TUN device its addresses, MTU and transmit queue, and brings it up. `addresses` are
  /// an IPv4 one and, where the tunnel carries IPv6, an IPv6 one; that needs an MTU of 1280 and
  /// can_use_ipv6(). Called again, for another lease, it replaces addresses and MTU, and the routes
  /// of both kinds that remain stay. Without an IPv6 address the device gets no IPv6 at all, with
  /// one it gets no other: no link-local address, no router solicitations.
  /// Without any, the device has none until the next call: its lease has become another device's.
  virtual Result<void> configure_tun(std::span<const TunAddress> addresses, std::size_t mtu) = 0;
  /// Gives the device, which configure_tun() has configured, another MTU; addresses and routes
  /// stay.
  virtual Result<void> set_tun_mtu(std::size_t mtu) = 0;
  /// With an IPv4 address alone.
  Result<void> configure_tun(const IpAddress& address, int prefix_length, std::size_t mtu) {
    const TunAddress only{address, prefix_length};
    return configure_tun({&only, 1}, mtu);
  }

  /// Refuses what `access` says, in an nftables table of its own that nobody else can flush (a
  /// plain one before Linux 5.12). To be called before the server forwards anything. What is
  /// refused is told so: TCP is reset, all else answered with an ICMP error; what comes from
  /// outside is not answered.
  virtual Result<void> limit_clients(const ClientAccess& access) = 0;
  /// Switches IPv4 forwarding on, where it is off. Between the host's networks nothing is forwarded
  /// then that was not before, but for devices that come later. The last server of the host puts it
  /// back; where another program seems to want it by then, it stays on, and the log says why and
  /// how to switch it off. No ICMP redirect goes into the tunnel.
  virtual Result<void> enable_forwarding() = 0;
  /// The same for IPv6. A host that forwards ignores router advertisements; interfaces that took
  /// them until now go on (accept_ra=2), or the host would lose its own addresses and routes.
  virtual Result<void> enable_ipv6_forwarding() = 0;
  /// Translates the pool's addresses on their way out and lets forwarded packets of the tunnel
  /// pass, both in an nftables table of its own.
  virtual Result<void> install_nat(const NatOptions& options) = 0;
  /// install_nat()'s work is to outlive the object, for that of the next start to replace it in one
  /// piece (LeftoverNat::kKept): at a crash.
  virtual void leave_nat() {}
  /// Settings of this host that keep packets from being forwarded although we accept them, such as
  /// another table's FORWARD policy, or no IPv6 route to the world: a line each, with its remedy.
  /// From then on keep() warns in the log of those that come later.
  virtual std::vector<std::string> forwarding_obstacles() = 0;

  /// Sets what the next route_everything_through_tunnel() leaves outside.
  virtual void leave_outside(const Outside& outside) = 0;
  /// Sends everything into the tunnel but what carries kTunnelMark and what leave_outside() names;
  /// IPv6 becomes unreachable in the same sense where the device has no IPv6 address. Everything
  /// else that would leave this host around the tunnel is refused, DNS to a local network as well,
  /// for as long as the object lives. After configure_tun(), and again when that has changed what
  /// the device carries. One device of a host at a time.
  virtual Result<void> route_everything_through_tunnel() = 0;
  /// Sends exactly these into the tunnel, in place of those of an earlier call. All or nothing:
  /// refused where the host routes one of them elsewhere. Routes that are narrower win, and the
  /// tunnel's own packets follow these like all others: the server is to be outside of them. After
  /// configure_tun(); IPv6 that the device does not carry is refused to everybody.
  virtual Result<void> route_only(std::span<const Prefix> destinations) = 0;
  /// Makes this host ask these name servers, in place of those of an earlier call. A failure leaves
  /// the host's own in force; keep() tries again.
  virtual Result<void> use_dns(const NameServerWish& wish) = 0;
  /// For every name.
  Result<void> use_dns(std::span<const IpAddress> servers) {
    return use_dns(NameServerWish{
        .servers = {servers.begin(), servers.end()}, .domains = {}, .may_take_all_names = true});
  }

  /// Looks whether the host still is as it was made, and makes it so again where somebody has
  /// changed it: device, addresses, routes, rules, firewall tables, kernel settings, name servers.
  /// Some dozen system calls when nobody has. To be called at every notice of HostWatch and every
  /// two seconds or so (KeepPace).
  virtual Upkeep keep() = 0;
  /// The TUN device has been made again, after keep() missed it: everything that the old one had is
  /// this one's from the next keep() on.
  virtual Result<void> adopt_device() = 0;
  /// The routes of the host's networks that do not count beside route_everything_through_tunnel(),
  /// for a person: `203.0.113.0/24 via 192.0.2.1 dev eth0`. At most some dozens, as of the last
  /// keep().
  virtual std::vector<std::string> ignored_routes() const { return {}; }
  /// The name servers that the host would ask without use_dns(): those of the networks it is in.
  virtual std::vector<NameServer> name_servers_outside() = 0;
};

/// Whether a device of this host can be given an IPv6 address.
bool can_use_ipv6();

/// The fate of the address translation that a crashed process left for the same device.
enum class LeftoverNat {
  kUndone,
  kKept,  ///< for install_nat() to replace in one piece: while there is none, the kernel takes what
          ///< comes for clients for its own, and resets their connections
};

/// Opens the network of this host (on Linux: of this network namespace) for the TUN device
/// `tun_name`, which need not exist yet. Undoes first what crashed processes left behind here, for
/// whichever device, but no kill switch. Fails when another living process uses the name.
Result<std::unique_ptr<HostNetwork>> open_host_network(
    const std::string& tun_name, Logger& logger, LeftoverNat leftover_nat = LeftoverNat::kUndone);

/// Undoes what crashed processes left behind in this network namespace: for `tun_name`, or for
/// every device when it is empty; kill switches, too. Leaves alone what a living process owns.
/// Returns what it undid, a line each.
Result<std::vector<std::string>> clean_up_host_network(const std::string& tun_name, Logger& logger);

}  // namespace qdt::os
