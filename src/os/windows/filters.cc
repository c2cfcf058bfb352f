#include "os/windows/filters.h"

#include <algorithm>
#include <array>
#include <string>

namespace qdt::os {
namespace {

using Conditions = std::vector<FilterCondition>;

constexpr IpProtocol kTcp{6};
constexpr IpProtocol kUdp{17};
constexpr IpProtocol kIcmp6{58};
constexpr std::array kDnsPorts = {RemotePort{53}, RemotePort{853}};

constexpr std::array kDirections = {Direction::kOut, Direction::kIn};
constexpr std::array kFamilies = {IpFamily::kV4, IpFamily::kV6};

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

void add_remotes(Conditions& conditions, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) conditions.emplace_back(RemotePrefix{prefix(text)});
}

Conditions remotes_of(std::span<const Prefix> prefixes, IpFamily family) {
  Conditions conditions;
  for (const Prefix& one : prefixes) {
    if (family_of(one.address()) == family) conditions.emplace_back(RemotePrefix{one});
  }
  return conditions;
}

// The filters of one purpose, in the order of their weights.
class List {
 public:
  void permit(std::string name, Direction direction, IpFamily family, std::uint8_t weight,
              Conditions conditions) {
    add(std::move(name), direction, family, true, weight, std::move(conditions));
  }
  void refuse(std::string name, Direction direction, IpFamily family, std::uint8_t weight,
              Conditions conditions) {
    add(std::move(name), direction, family, false, weight, std::move(conditions));
  }
  std::vector<Filter> take() { return std::move(filters_); }

 private:
  void add(std::string name, Direction direction, IpFamily family, bool is_permit,
           std::uint8_t weight, Conditions conditions) {
    filters_.push_back({.name = std::move(name),
                        .direction = direction,
                        .family = family,
                        .is_permit = is_permit,
                        .weight = weight,
                        .conditions = std::move(conditions)});
  }

  std::vector<Filter> filters_;
};

// DNS decides before anything that follows from addresses: a name server in the LAN is one, too.
constexpr std::uint8_t kDnsPassing = 12;
constexpr std::uint8_t kDnsRefused = 11;
constexpr std::uint8_t kPassing = 8;
constexpr std::uint8_t kRefused = 0;

void refuse_dns(const Refusals& refusals, List& list) {
  const auto to_dns = [](Conditions also) {
    also.insert(also.end(), {kTcp, kUdp});
    also.insert(also.end(), kDnsPorts.begin(), kDnsPorts.end());
    return also;
  };
  for (const IpFamily family : kFamilies) {
    list.permit("DNS in the tunnel", Direction::kOut, family, kDnsPassing,
                to_dns({OnInterface{refusals.tun}}));
    list.permit("DNS in this host", Direction::kOut, family, kDnsPassing, to_dns({OnLoopback{}}));
    list.permit("DNS of qdt-client", Direction::kOut, family, kDnsPassing,
                to_dns({OfThisProgram{}}));
    Conditions allowed;
    for (const IpAddress& server : refusals.name_servers) {
      if (family_of(server) != family) continue;
      allowed.emplace_back(RemotePrefix{Prefix::of_host(server)});
    }
    if (!allowed.empty()) {
      list.permit("DNS to configured name servers", Direction::kOut, family, kDnsPassing,
                  to_dns(std::move(allowed)));
    }
    list.refuse("DNS around the tunnel", Direction::kOut, family, kDnsRefused, to_dns({}));
  }
}

void refuse_ipv6(const Refusals& refusals, List& list) {
  list.permit("IPv6 in this host", Direction::kOut, IpFamily::kV6, kPassing, {OnLoopback{}});
  list.permit("IPv6 of qdt-client", Direction::kOut, IpFamily::kV6, kPassing, {OfThisProgram{}});
  Conditions outside = remotes_of(refusals.ipv6_outside, IpFamily::kV6);
  add_remotes(outside, {"fe80::/10", "ff00::/8"});
  list.permit("IPv6 of local networks", Direction::kOut, IpFamily::kV6, kPassing,
              std::move(outside));
  list.refuse("IPv6, which the tunnel does not carry", Direction::kOut, IpFamily::kV6, kRefused,
              {});
}

void permit_dhcp(Direction direction, List& list) {
  Conditions v4 = {kUdp, LocalPort{68}, RemotePort{67}};
  Conditions v6 = {kUdp, LocalPort{546}, RemotePort{547}};
  add_remotes(v6, {"fe80::/10"});
  if (direction == Direction::kOut) {
    // To a server of the link, or behind its relay.
    add_remotes(v4, {"255.255.255.255/32", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                     "100.64.0.0/10", "169.254.0.0/16"});
    add_remotes(v6, {"ff02::1:2/128", "ff05::1:3/128"});
  }
  list.permit("DHCP", direction, IpFamily::kV4, kPassing, std::move(v4));
  list.permit("DHCPv6", direction, IpFamily::kV6, kPassing, std::move(v6));
}

// Neighbours may have any address of the link; routers and listeners have the link's own.
void permit_neighbours(Direction direction, List& list) {
  list.permit("IPv6 neighbours", direction, IpFamily::kV6, kPassing,
              {kIcmp6, LocalPort{135}, LocalPort{136}});
  Conditions of_link = {kIcmp6,         LocalPort{130}, LocalPort{131}, LocalPort{132},
                        LocalPort{133}, LocalPort{134}, LocalPort{137}, LocalPort{143}};
  add_remotes(of_link, {"fe80::/10", "ff02::/16"});
  list.permit("IPv6 routers and listeners", direction, IpFamily::kV6, kPassing, std::move(of_link));
}

void permit_outside(const KillSwitch::Options& options, Direction direction, List& list) {
  for (const IpFamily family : kFamilies) {
    Conditions remotes = remotes_of(options.outside, family);
    if (options.allows_lan && family == IpFamily::kV4) {
      add_remotes(remotes, {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                            "224.0.0.0/24", "239.255.0.0/16", "255.255.255.255/32"});
    }
    if (options.allows_lan && family == IpFamily::kV6) {
      add_remotes(remotes, {"fe80::/10", "fc00::/7", "ff02::/16", "ff05::/16"});
    }
    if (remotes.empty()) continue;
    list.permit("outside the tunnel", direction, family, kPassing, std::move(remotes));
  }
}

}  // namespace

std::vector<Filter> filters_of(const Refusals& refusals) {
  List list;
  if (refusals.refuses_dns) refuse_dns(refusals, list);
  if (refusals.refuses_ipv6) refuse_ipv6(refusals, list);
  for (const IpFamily family : kFamilies) {
    Conditions lost = remotes_of(refusals.destinations, family);
    if (lost.empty()) continue;
    list.permit("of qdt-client", Direction::kOut, family, kPassing, {OfThisProgram{}});
    list.refuse("what the tunnel does not carry", Direction::kOut, family, kRefused,
                std::move(lost));
  }
  return list.take();
}

std::vector<Filter> kill_switch_filters(const KillSwitch::Options& options,
                                        std::optional<InterfaceId> tun) {
  List list;
  for (const Direction direction : kDirections) {
    for (const IpFamily family : kFamilies) {
      list.permit("in this host", direction, family, kPassing, {OnLoopback{}});
      list.permit("of qdt-client", direction, family, kPassing, {OfThisProgram{}});
      if (tun) list.permit("in the tunnel", direction, family, kPassing, {OnInterface{*tun}});
    }
    permit_dhcp(direction, list);
    permit_neighbours(direction, list);
    permit_outside(options, direction, list);
    for (const IpFamily family : kFamilies) {
      list.refuse("everything else", direction, family, kRefused, {});
    }
  }
  return list.take();
}

}  // namespace qdt::os
