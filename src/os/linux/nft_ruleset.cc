#include "os/linux/nft_ruleset.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace qdt::os {
namespace {

constexpr std::string_view kNatRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain from_outside {
    ct state established,related accept
    ct status dnat accept
    drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
$translations  }
  chain forward {
    type filter hook forward priority filter; policy accept;
$guards    iifname $tun accept
    oifname $tun accept
  }
}
)";

constexpr std::string_view kForwardRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain between_others {
    ct state established,related accept
    ct status dnat accept
    drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
$guards  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname $tun icmp type redirect drop
    oifname $tun icmpv6 type nd-redirect drop
  }
}
)";

constexpr std::string_view kOuterRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    meta l4proto udp socket mark $mark meta mark set $mark
$drops  }
}
)";

constexpr std::string_view kDnsRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain refuse {
    $allowed
    meta l4proto tcp reject with tcp reset
    reject with icmpx port-unreachable
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname { "lo", $tun } accept
    meta mark $mark accept
    meta l4proto { tcp, udp } th dport { 53, 853 } jump refuse
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname != $tun iifname != $tun meta l4proto { tcp, udp } th dport { 53, 853 } jump refuse
  }
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

// From what was closed before us to the tunnel, where its addresses are translated: answers only.
std::string guard_of_pool(const ClosedHost& closed, const std::string& tun,
                          const std::string& external) {
  const bool is_closed = std::ranges::find(closed.from, external) != closed.from.end();
  std::vector<std::string> from = closed.from;
  if (!external.empty()) from = is_closed ? std::vector{external} : std::vector<std::string>();
  const std::string set = set_of(from);
  if (set.empty()) return {};
  return family_match(closed.is_v6) + " iifname " + set + " oifname " + tun +
         " jump from_outside\n";
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

std::string outer_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/outer";
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
    guards += family_match(family.is_v6) + " iifname " + from + " oifname " + to +
              " jump between_others\n";
  }
  return filled(
      kForwardRuleset,
      {{"$table", forward_table_name(tun_name)}, {"$tun", quoted(tun_name)}, {"$guards", guards}});
}

std::string dns_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/dns";
}

std::string nat_ruleset(const std::string& tun_name, const NatOptions& options,
                        std::span<const ClosedHost> closed) {
  const std::string external = options.external_interface.empty()
                                   ? "!= { " + quoted(tun_name) + ", \"lo\" }"
                                   : quoted(options.external_interface);
  const auto translation = [&](const Prefix& pool) {
    return "    " + protocol(pool.address()) + "saddr " + pool.to_string() + " oifname " +
           external + " masquerade\n";
  };
  std::string guards;
  for (const ClosedHost& family : closed) {
    const bool is_translated = !family.is_v6 || options.pool6;
    if (!is_translated) continue;
    guards += guard_of_pool(family, quoted(tun_name), options.external_interface);
  }
  return filled(kNatRuleset,
                {{"$table", nat_table_name(tun_name)},
                 {"$guards", guards},
                 {"$tun", quoted(tun_name)},
                 {"$translations",
                  translation(options.pool) + (options.pool6 ? translation(*options.pool6) : "")}});
}

std::string outer_ruleset(const std::string& tun_name, std::uint32_t mark,
                          std::span<const IpAddress> inner) {
  std::string drops;
  for (const IpAddress& address : inner) {
    drops += "    iifname != " + quoted(tun_name) + " " + protocol(address) + "daddr " +
             address.to_string() + " fib saddr type != local drop\n";
  }
  return filled(kOuterRuleset, {{"$table", outer_table_name(tun_name)},
                                {"$tun", quoted(tun_name)},
                                {"$mark", std::to_string(mark)},
                                {"$drops", drops}});
}

std::string dns_ruleset(const std::string& tun_name, std::uint32_t mark,
                        std::span<const IpAddress> allowed) {
  std::string rules;
  for (const IpAddress& server : allowed) {
    rules += protocol(server) + "daddr " + server.to_string() + " accept\n    ";
  }
  return filled(kDnsRuleset, {{"$table", dns_table_name(tun_name)},
                              {"$tun", quoted(tun_name)},
                              {"$mark", std::to_string(mark)},
                              {"$allowed", rules}});
}

}  // namespace qdt::os
