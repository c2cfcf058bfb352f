#include "os/linux/local_networks.h"

#include <algorithm>

namespace qdt::os {
namespace {

bool is_within(std::span<const Prefix> all, const Prefix& prefix) {
  return std::ranges::any_of(all, [&](const Prefix& one) { return one.contains(prefix); });
}

void sort(std::vector<Prefix>& prefixes) {
  std::ranges::sort(prefixes);
  prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
}

}  // namespace

bool is_plausible_lan(const Prefix& prefix) {
  static const std::vector<Prefix> kRanges = [] {
    std::vector<Prefix> ranges;
    for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                             "100.64.0.0/10", "fc00::/7", "fe80::/10"}) {
      ranges.push_back(*Prefix::parse(text));
    }
    return ranges;
  }();
  return is_within(kRanges, prefix);
}

LocalNetworks local_networks(std::span<const MainRoute> routes, const Outside& outside,
                             int tun_index, std::span<const Prefix> known) {
  LocalNetworks found;
  std::vector<Prefix> lans;
  for (const MainRoute& route : routes) {
    if (route.link_index == tun_index) continue;
    if (is_within(outside.destinations, route.destination)) continue;
    const bool is_lan = route.is_connected && is_plausible_lan(route.destination) &&
                        !is_within(outside.inside, route.destination);
    if (is_lan) {
      if (outside.private_networks) lans.push_back(route.destination);
    } else {
      found.ignored.push_back(route.destination.to_string() + " " + route.way);
    }
  }
  sort(lans);
  std::ranges::sort(found.ignored);
  found.ignored.erase(std::ranges::unique(found.ignored).begin(), found.ignored.end());
  std::ranges::stable_partition(
      lans, [&](const Prefix& lan) { return std::ranges::find(known, lan) != known.end(); });
  const auto cut = [&](auto& list) {
    if (list.size() <= kMaxLocalNetworks) return;
    found.omitted += list.size() - kMaxLocalNetworks;
    list.resize(kMaxLocalNetworks);
  };
  cut(lans);
  cut(found.ignored);
  found.outside = outside.destinations;
  found.outside.insert(found.outside.end(), lans.begin(), lans.end());
  sort(found.outside);
  return found;
}

}  // namespace qdt::os
