#include "os/linux/nft_ruleset.h"

#include <initializer_list>

#include "os/linux/default_route.h"

namespace qdt::os {
namespace {

constexpr std::string_view kNatRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
$translations  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname $tun accept
    oifname $tun accept
  }
}
)";

constexpr std::string_view kForwardRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
$guards
  chain output {
    type filter hook output priority filter; policy accept;
    oifname $tun icmp type redirect drop
    oifname $tun icmpv6 type nd-redirect drop
  }
}
)";

// These rules have the kernel follow every connection of the host, which costs a tenth of a
// stream's speed: they are only there where they have something to do.
constexpr std::string_view kForwardGuards = R"(
  chain between_others {
    ct state established,related accept
    ct status dnat accept
    drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
$guards  }
)";

// The first chain is ahead of `raw`, where reverse path checks may stand, and so ahead of
// conntrack: nothing is known there but the way by which a packet came. The second takes the bit
// away from packets whose way to their destination is to be the tunnel. Between them, addresses may
// have been translated (dstnat, -100).
//
// A packet from outside opens the way back for its connection alone, and only where that is one: it
// begins a TCP connection or goes to a port that no program gets by chance, or a program listens on
// its UDP port, or it goes to a port that is forwarded. A UDP socket of a port got by chance that
// has one address may be a client's from before the tunnel, whose server goes on sending: it does
// not count. A TCP connection that begins in this host is no answer, even where somebody outside
// has forged a packet of the same addresses and ports before.
constexpr std::string_view kMarksRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  $flags
  chain opened {
    ct mark != 0 return
    fib daddr type != local ct status & dnat != dnat return
    tcp flags & (fin | syn | rst | ack) == syn ct mark set $bit
    tcp dport != $ephemeral ct mark set $bit
    udp dport 0-65535 ct status & dnat == dnat ct mark set $bit
    udp dport != $ephemeral socket transparent { 0, 1 } ct mark set $bit
$wildcard    icmp type echo-request ct mark set $bit
    icmpv6 type echo-request ct mark set $bit
  }
  chain for_lan {
$opened    accept
  }
  chain from_outside {
    type filter hook prerouting priority -350; policy accept;
    iifname { "lo", $tun } accept
    meta l4proto udp socket mark $mark meta mark set $mark accept
    meta mark set meta mark | $bit
  }
  chain to_inside {
    type filter hook prerouting priority -90; policy accept;
    meta mark & $bit == 0 accept
    meta l4proto udp socket mark $mark meta mark set $mark accept
    fib daddr type { local, broadcast, multicast } goto for_lan
$answers$lan    meta mark set meta mark & $rest
  }
  chain output {
    type route hook output priority mangle; policy accept;
    meta mark $mark accept
$answers  }
}
)";

constexpr std::string_view kGuardRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  $flags
  chain inner {
    type filter hook prerouting priority -360; policy accept;
$drops  }
$everything}
)";

// Behind all others, which may still change where a packet goes.
constexpr std::string_view kGuardChains = R"(
  chain link {
    $link
    ip protocol igmp ip daddr 224.0.0.0/4 accept
    udp sport 68 udp dport 67 accept
    udp sport 546 udp dport 547 ip6 saddr fe80::/10 ip6 daddr { fe80::/10, ff02::1:2, ff05::1:3 } accept
  }
  chain dns {
    $allowed
    meta l4proto tcp reject with tcp reset
    reject with icmpx port-unreachable
  }
  chain outside {
    meta l4proto { tcp, udp } th dport { 53, 853 } jump dns
    $outside
    counter
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain output {
    type filter hook output priority 300; policy accept;
    oifname { "lo", $tun } accept
    meta mark $mark accept
    meta mark & $bit == $bit accept
    jump link
    goto outside
  }
  chain forward {
    type filter hook forward priority 300; policy accept;
    oifname $tun accept
    ct direction reply meta mark & $bit == $bit accept
    ct status & dnat == dnat meta mark & $bit == $bit accept
    iifname $tun goto from_tunnel
    goto outside
  }
  chain from_tunnel {
    $outside
    counter
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
)";

std::string quoted(std::string_view interface) {
  return '"' + std::string(interface) + '"';
}

std::string protocol(const IpAddress& address) {
  return address.is_v4() ? "ip " : "ip6 ";
}

// A set of interfaces; empty where there is none. nft takes no quote in a name, and a star at its
// end for any rest.
std::string set_of(const std::vector<std::string>& interfaces) {
  std::string set;
  for (const std::string& interface : interfaces) {
    if (interface.find_first_of("\"\\*") != interface.npos) continue;
    set += (set.empty() ? "{ " : ", ") + quoted(interface);
  }
  return set.empty() ? set : set + " }";
}

std::string family_match(bool is_v6) {
  return std::string("    meta nfproto ") + (is_v6 ? "ipv6" : "ipv4");
}

}  // namespace

std::string filled(std::string_view form, std::initializer_list<Word> words) {
  std::string text(form);
  for (const auto& [name, value] : words) {
    for (auto at = text.find(name); at != text.npos; at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

std::string nat_table_name(std::string_view tun_name) {
  return "qdt_" + std::string(tun_name);
}

std::string marks_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/marks";
}

std::string forward_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/forward";
}

std::string forward_ruleset(const std::string& tun_name, std::span<const ClosedHost> closed) {
  std::string guards;
  for (const ClosedHost& family : closed) {
    const std::string from = set_of(family.from);
    const std::string to = set_of(family.to);
    if (from.empty() || to.empty()) continue;
    // With a single device there is nothing to be routed in between.
    if (family.to.size() == 1 && family.from == family.to) continue;
    guards += family_match(family.is_v6) + " iifname " + from + " oifname " + to +
              " jump between_others\n";
  }
  if (!guards.empty()) guards = filled(kForwardGuards, {{"$guards", guards}});
  return filled(
      kForwardRuleset,
      {{"$table", forward_table_name(tun_name)}, {"$tun", quoted(tun_name)}, {"$guards", guards}});
}

std::string guard_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/guard";
}

std::string link_rules() {
  return "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, "
         "nd-neighbor-advert, nd-redirect } ip6 hoplimit 255 accept\n    "
         "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, "
         "mld2-listener-report } ip6 hoplimit 1 accept";
}

std::string lan_multicast4() {
  return "224.0.0.0/24, 239.255.0.0/16, 255.255.255.255";
}

std::string lan_multicast6() {
  return "ff02::/16, ff05::/16";
}

std::string nat_ruleset(const std::string& tun_name, const NatOptions& options) {
  const std::string external = options.external_interface.empty()
                                   ? "!= { " + quoted(tun_name) + ", \"lo\" }"
                                   : quoted(options.external_interface);
  const auto translation = [&](const Prefix& pool) {
    return "    " + protocol(pool.address()) + "saddr " + pool.to_string() + " oifname " +
           external + " masquerade\n";
  };
  return filled(kNatRuleset,
                {{"$table", nat_table_name(tun_name)},
                 {"$tun", quoted(tun_name)},
                 {"$translations",
                  translation(options.pool) + (options.pool6 ? translation(*options.pool6) : "")}});
}

std::string marks_ruleset(const ClientTable& table, const ClientPolicy& policy) {
  const std::string opened = "    ct direction original jump opened\n";
  // In both directions of a connection of its own, a packet carries the mark that it came with.
  const std::string answers =
      "    ct direction reply ct mark & $bit == $bit tcp flags & (fin | syn | rst | ack) != syn "
      "meta "
      "mark set meta mark | $bit accept\n"
      "    ct direction reply ct mark & $bit == $bit meta l4proto != tcp meta mark set meta mark | "
      "$bit accept\n";
  // Kernels that know owners of tables (5.12) know this, too (5.10).
  const std::string wildcard =
      table.flags.empty() ? "" : "    udp dport $ephemeral socket wildcard 1 ct mark set $bit\n";
  std::string lan;
  for (const Prefix& prefix : policy.outside) {
    lan += "    " + protocol(prefix.address()) + "daddr " + prefix.to_string() + " goto for_lan\n";
  }
  return filled(kMarksRuleset, {{"$table", table.name},
                                {"$flags", table.flags},
                                {"$opened", policy.answers ? opened : ""},
                                {"$answers", policy.answers ? answers : ""},
                                {"$lan", lan},
                                {"$wildcard", wildcard},
                                {"$ephemeral", std::to_string(policy.first_ephemeral_port) + "-" +
                                                   std::to_string(policy.last_ephemeral_port)},
                                {"$tun", quoted(policy.tun_name)},
                                {"$mark", std::to_string(kTunnelMark)},
                                {"$bit", std::to_string(kOutsideBit)},
                                {"$rest", std::to_string(~kOutsideBit)}});
}

std::string guard_ruleset(const ClientTable& table, const ClientPolicy& policy) {
  std::string drops;
  for (const IpAddress& address : policy.inner) {
    drops += "    iifname != { \"lo\", $tun } " + protocol(address) + "daddr " +
             address.to_string() + " drop\n";
  }
  std::string allowed;
  for (const IpAddress& server : policy.name_servers) {
    allowed += protocol(server) + "daddr " + server.to_string() + " return\n    ";
  }
  std::string outside;
  for (const Prefix& prefix : policy.inside) {
    outside += protocol(prefix.address()) + "daddr " + prefix.to_string() + " reject\n    ";
  }
  for (const Prefix& prefix : policy.outside) {
    outside += protocol(prefix.address()) + "daddr " + prefix.to_string() + " accept\n    ";
  }
  if (policy.has_local_multicast) {
    outside += "ip daddr { " + lan_multicast4() + " } accept\n    ";
    outside += "ip6 daddr { " + lan_multicast6() + " } accept\n    ";
  }
  return filled(kGuardRuleset,
                {{"$everything", policy.takes_everything ? std::string(kGuardChains) : ""},
                 {"$table", table.name},
                 {"$flags", table.flags},
                 {"$drops", drops},
                 {"$link", link_rules()},
                 {"$allowed", allowed},
                 {"$outside", outside},
                 {"$tun", quoted(policy.tun_name)},
                 {"$mark", std::to_string(kTunnelMark)},
                 {"$bit", std::to_string(kOutsideBit)}});
}

}  // namespace qdt::os
