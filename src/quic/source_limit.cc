#include "quic/source_limit.h"

#include <algorithm>
#include <chrono>

#include "base/client_networks.h"
#include "base/mix.h"

namespace qdt::quic {

SourceLimit::Group& SourceLimit::group_of(const IpAddress& source) {
  const std::uint64_t site = number_of(ClientNetworks(source).site);
  return groups_[mix(mix(site ^ seed_) + seed_) % kGroups];
}

bool SourceLimit::take(const IpAddress& source, Timestamp now) {
  Group& group = group_of(source);
  const Duration rest = std::max<Duration>(now - group.passed, Duration::zero());
  const double refilled = std::chrono::duration<double>(rest).count() * options_.each.per_second;
  const double tokens = std::min(group.tokens + refilled, options_.each.burst);
  if (tokens < 1) return false;
  if (!all_.take(now) && rest < kRare) return false;
  group = {.passed = now, .tokens = static_cast<float>(tokens - 1)};
  return true;
}

}  // namespace qdt::quic
