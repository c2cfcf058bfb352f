#include "os/linux/access_ruleset.h"

#include <span>

#include "os/linux/nft_ruleset.h"

namespace qdt::os {
namespace {

// A packet at the hook `input` is for this host, whichever of its addresses it names and
// whenever that came: unicast, broadcast, a group. In `forward`, an address that another table has
// translated is the one that is reached.
constexpr std::string_view kRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  $flags
$sets  chain refused {
    counter
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain denied {
$denied  }
$answers  chain forward {
    type filter hook forward priority filter; policy accept;
$forward  }
  chain to_host {
    icmp type redirect drop
    icmpv6 type { nd-redirect, nd-router-advert } drop
    ip daddr 127.0.0.0/8 drop
    jump denied
$host  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname $tun goto to_host
  }
$output}
)";

// An expected connection is part of another one (FTP's data), where the host follows such; a
// redirected one (dnat) is open because the operator has opened it.
constexpr std::string_view kToClients = R"(  chain to_clients {
    ct direction reply ct state established,related accept
    ct status dnat accept
    ct status expected accept
    counter
    drop
  }
)";

constexpr std::string_view kFollowedAnswers =
    "    ct direction reply ct state established,related accept\n"
    "    ct status dnat accept\n";

// Conversations that this host has begun with clients, as their answers come. The kernel's own RST
// for what is refused passes `output`, too, and begins nothing.
constexpr std::string_view kSets = R"(  set talks4 {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service
    size 65535
    flags dynamic,timeout
    timeout 3m
  }
  set talks6 {
    type ipv6_addr . ipv6_addr . inet_proto . inet_service . inet_service
    size 65535
    flags dynamic,timeout
    timeout 3m
  }
)";

constexpr std::string_view kNotedAnswers =
    "    ip saddr . ip daddr . meta l4proto . th sport . th dport @talks4 accept\n"
    "    ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport @talks6 accept\n"
    "    icmp type echo-reply accept\n"
    "    icmpv6 type echo-reply accept\n";

constexpr std::string_view kNotes = R"(  chain noted_tcp {
    tcp flags & (fin | syn | rst | ack) == syn $update4
    tcp flags & (fin | syn | rst | ack) == syn $update6
    ip daddr . ip saddr . meta l4proto . th dport . th sport @talks4 $update4
    ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport @talks6 $update6
  }
  chain noted_udp {
$answered    update @talks4 { ip daddr . ip saddr . meta l4proto . th dport . th sport }
    update @talks6 { ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport }
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname $tun meta l4proto tcp goto noted_tcp
    oifname $tun meta l4proto udp goto noted_udp
  }
)";
constexpr std::string_view kUpdate4 =
    "update @talks4 { ip daddr . ip saddr . meta l4proto . th dport . th sport timeout 1d }";
constexpr std::string_view kUpdate6 =
    "update @talks6 { ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport timeout 1d }";

constexpr std::string_view kErrors =
    "    icmp type { destination-unreachable, time-exceeded, parameter-problem } accept\n"
    "    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "accept\n";
constexpr std::string_view kPings =
    "    icmp type echo-request accept\n"
    "    icmpv6 type echo-request accept\n";

std::string protocol(const IpAddress& address) {
  return address.is_v4() ? "ip" : "ip6";
}

// A rule for each name server: with `verdict`, where the address of `side` ("d" or "s") is its.
std::string for_name_servers(std::span<const IpAddress> servers, const std::string& side,
                             const std::string& verdict) {
  std::string rules;
  for (const IpAddress& server : servers) {
    rules += "    " + protocol(server) + " " + side + "addr " + server.to_string() +
             " meta l4proto { tcp, udp } th " + side + "port 53 " + verdict + "\n";
  }
  return rules;
}

std::string refusals(std::span<const Prefix> denied) {
  std::string rules;
  for (const Prefix& prefix : denied) {
    rules +=
        "    " + protocol(prefix.address()) + " daddr " + prefix.to_string() + " goto refused\n";
  }
  return rules;
}

std::string forward_rules(const ClientAccess& access) {
  std::string rules = "    iifname $tun jump denied\n";
  if (!access.reach_each_other) rules += "    iifname $tun oifname $tun goto refused\n";
  const auto answers_only = [&](const char* family) {
    rules += "    iifname != $tun oifname $tun meta nfproto " + std::string(family) +
             " goto to_clients\n";
  };
  if (access.answers_only) answers_only("ipv4");
  if (access.answers_only6) answers_only("ipv6");
  return rules;
}

std::string host_rules(const ClientAccess& access, bool follows) {
  if (access.host == HostAccess::kAll) return {};
  return std::string(follows ? kFollowedAnswers : kNotedAnswers) + std::string(kErrors) +
         std::string(access.host == HostAccess::kPing ? kPings : "") +
         for_name_servers(access.name_servers, "d", "accept") + "    goto refused\n";
}

}  // namespace

std::string access_table_name(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/access";
}

bool refuses_anything(const ClientAccess& access) {
  return access.answers_only || access.answers_only6 || !access.reach_each_other ||
         access.host != HostAccess::kAll || !access.denied.empty();
}

std::string access_ruleset(const std::string& table, const std::string& flags,
                           const std::string& tun_name, const ClientAccess& access) {
  const bool answers_only = access.answers_only || access.answers_only6;
  const bool follows = access.follows_connections || answers_only;
  const bool notes = !follows && access.host != HostAccess::kAll;
  return filled(kRuleset, {{"$sets", notes ? std::string(kSets) : ""},
                           {"$output", notes ? std::string(kNotes) : ""},
                           {"$update4", std::string(kUpdate4)},
                           {"$update6", std::string(kUpdate6)},
                           {"$answers", answers_only ? std::string(kToClients) : ""},
                           {"$forward", forward_rules(access)},
                           {"$host", host_rules(access, follows)},
                           {"$denied", for_name_servers(access.name_servers, "d", "return") +
                                           refusals(access.denied)},
                           // A name server's answers are none of this host's beginnings.
                           {"$answered", for_name_servers(access.name_servers, "s", "return")},
                           {"$table", table},
                           {"$flags", flags},
                           {"$tun", "\"" + tun_name + "\""}});
}

}  // namespace qdt::os
