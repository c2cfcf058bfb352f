#include "quic/tried_paths.h"

#include <algorithm>

namespace qdt::quic {

std::optional<Timestamp> TriedPaths::try_until(const UdpPath& path, Duration patience,
                                               Timestamp now) {
  std::erase_if(tries_, [now](const Try& one) { return now >= one.until + kMemory; });
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found != tries_.end()) return now < found->until ? std::optional(found->until) : std::nullopt;
  if (tries_.size() == kMaxTried) {
    const auto oldest =
        std::ranges::find_if(tries_, [now](const Try& one) { return one.until <= now; });
    if (oldest == tries_.end()) return std::nullopt;
    tries_.erase(oldest);
  }
  tries_.push_back({path.remote, now + patience});
  return now + patience;
}

bool TriedPaths::may_try(const UdpPath& path, Timestamp now) const {
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found != tries_.end()) return now < found->until || now >= found->until + kMemory;
  return tries_.size() < kMaxTried ||
         std::ranges::any_of(tries_, [now](const Try& one) { return one.until <= now; });
}

void TriedPaths::give_up(const UdpPath& path, Timestamp now) {
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found != tries_.end()) {
    found->until = std::min(found->until, now);
    return;
  }
  try_until(path, Duration::zero(), now);
}

void TriedPaths::on_answer(const UdpPath& path) {
  std::erase_if(tries_, [&path](const Try& one) { return one.address == path.remote; });
}

}  // namespace qdt::quic
