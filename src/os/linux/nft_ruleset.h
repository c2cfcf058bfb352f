#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "os/host_network.h"

namespace qdt::os {

// Our rulesets for nftables, as text in nft(8)'s language. Each ruleset makes its table anew,
// whether there was one or not.

using Word = std::pair<std::string_view, std::string>;
/// `form` with every name replaced by its value.
std::string filled(std::string_view form, std::initializer_list<Word> words);

/// The server's table for this device.
std::string nat_table_name(std::string_view tun_name);
/// The client's tables for this device. No device can have a slash in its name.
std::string marks_table_name(std::string_view tun_name);
std::string guard_table_name(std::string_view tun_name);

/// A host that did not forward until its server switched that on, and is to become no router
/// between its own networks. Devices that come later are none of these.
struct ClosedHost {
  bool is_v6 = false;
  std::vector<std::string> from;  ///< devices that did not forward
  std::vector<std::string> to;    ///< all that were there, but for the tunnel
};

/// Masquerading and forwarding for a server.
std::string nat_ruleset(const std::string& tun_name, const NatOptions& options);

/// The server's table for every forwarding host: refuses what is between two `closed` devices, but
/// for answers and what another program redirects (dnat); and ICMP redirects into the tunnel.
std::string forward_table_name(std::string_view tun_name);
std::string forward_ruleset(const std::string& tun_name, std::span<const ClosedHost> closed);

/// Rules that accept what a link needs: neighbour discovery, and MLD, without which a switch that
/// snoops forwards no solicitations.
std::string link_rules();
/// The groups of a LAN, and its broadcast address, as members of a set.
std::string lan_multicast4();
std::string lan_multicast6();

/// The traffic of a client's host that goes around its tunnel.
struct ClientPolicy {
  std::string tun_name;
  std::vector<IpAddress> inner{};  ///< the device's addresses
  bool takes_everything = false;   ///< what follows counts only then
  std::vector<Prefix> outside{};
  std::vector<Prefix> inside{};  ///< take the tunnel although `outside` has a wider prefix
  std::vector<IpAddress> name_servers{};
  bool has_local_multicast = true;
  bool answers = true;  ///< to connections from outside go back outside
  /// The ports that the kernel gives to connections that begin in this host.
  std::uint16_t first_ephemeral_port = 32768;
  std::uint16_t last_ephemeral_port = 60999;
};

/// A table's name, and a line of its flags or nothing.
struct ClientTable {
  std::string name;
  std::string flags{};
};

/// For a client that sends everything into the tunnel. Packets that arrive for a socket with
/// kTunnelMark get that mark, and others from outside kOutsideBit, so that reverse path checks look
/// for their sender outside: those of tables (from priority -300 on), and rp_filter=1 with
/// src_valid_mark. What is to be forwarded elsewhere loses the bit before it is routed. Where the
/// policy has `answers`, connections from outside are marked with the bit, and their answers too.
std::string marks_ruleset(const ClientTable& table, const ClientPolicy& policy);

/// Drops what arrives for the tunnel's own addresses by another way than the tunnel
/// (CVE-2019-14899). For a client that sends everything into the tunnel it also refuses, at once
/// and to be noticed, what would leave this host around it: all but packets with kTunnelMark or
/// kOutsideBit, what a link needs, and what the policy leaves outside. DNS (port 53, and 853 of DNS
/// over TLS) leaves only to the policy's name servers, even there.
std::string guard_ruleset(const ClientTable& table, const ClientPolicy& policy);

}  // namespace qdt::os
