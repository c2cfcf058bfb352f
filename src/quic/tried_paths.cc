#include "quic/tried_paths.h"

#include <algorithm>

namespace qdt::quic {

std::optional<Timestamp> TriedPaths::try_until(const UdpPath& path, Duration patience,
                                               Timestamp now) {
  std::erase_if(tries_, [now](const Try& one) { return now >= one.until + one.rest + kMemory; });
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found != tries_.end()) {
    if (found->may_begin_again(now)) found->begin_again(now + patience);
    return found->is_over(now) ? std::nullopt : std::optional(found->until);
  }
  if (tries_.size() == kMaxTried) {
    const auto first = std::ranges::min_element(tries_, {}, [now](const Try& one) {
      return one.is_over(now) ? one.until + one.rest : kNever;
    });
    if (!first->is_over(now)) return std::nullopt;
    tries_.erase(first);
  }
  tries_.push_back({path.remote, now + patience});
  return now + patience;
}

bool TriedPaths::may_try(const UdpPath& path, Timestamp now) const {
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found != tries_.end()) return !found->is_over(now) || found->may_begin_again(now);
  return tries_.size() < kMaxTried ||
         std::ranges::any_of(tries_, [now](const Try& one) { return one.is_over(now); });
}

void TriedPaths::give_up(const UdpPath& path, Timestamp now) {
  const auto found = std::ranges::find(tries_, path.remote, &Try::address);
  if (found == tries_.end()) {
    try_until(path, Duration::zero(), now);
  } else if (!found->is_over(now)) {
    found->until = now;
  } else if (found->may_begin_again(now)) {
    found->begin_again(now);
  }
}

void TriedPaths::on_answer(const UdpPath& path) {
  std::erase_if(tries_, [&path](const Try& one) { return one.address == path.remote; });
}

}  // namespace qdt::quic
