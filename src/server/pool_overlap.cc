#include "server/pool_overlap.h"

#include <algorithm>

namespace qdt::server {
namespace {

bool is_taken(const Prefix& pool, std::span<const os::TakenNetwork> networks) {
  return std::ranges::any_of(
      networks, [&](const os::TakenNetwork& network) { return network.overlaps(pool); });
}

// A pool of the same size, in 10.0.0.0/8 from 10.9.0.0 on.
std::optional<Prefix> free_pool(int length, std::span<const os::TakenNetwork> networks) {
  constexpr std::uint32_t kFirst = 0x0a090000;
  constexpr std::uint32_t kStep = 0x00010000;
  constexpr std::uint32_t kEnd = 0x0b000000;
  for (std::uint32_t number = kFirst; number < kEnd; number += kStep) {
    const Prefix pool(IpAddress::v4(number), length);
    if (pool.address().v4_number() == number && !is_taken(pool, networks)) return pool;
  }
  return std::nullopt;
}

std::string explain(const std::string& key, const Prefix& pool, const os::TakenNetwork& network,
                    const std::optional<Prefix>& other) {
  return key + " " + pool.to_string() + " overlaps a network of this host, " + network.describe() +
         ": choose another " + key + (other ? ", such as " + other->to_string() : "") +
         ", or give that network other addresses";
}

}  // namespace

std::optional<std::string> find_pool_overlap(const std::string& key, const Prefix& pool,
                                             bool is_routed_here,
                                             std::span<const os::TakenNetwork> networks) {
  for (const os::TakenNetwork& network : networks) {
    const bool is_around = !network.is_on_link && network.prefix.contains(pool) &&
                           network.prefix.length() < pool.length();
    if (!network.overlaps(pool) || (is_around && is_routed_here)) continue;
    const auto other = pool.address().is_v4() ? free_pool(pool.length(), networks) : std::nullopt;
    return explain(key, pool, network, other);
  }
  return std::nullopt;
}

}  // namespace qdt::server
