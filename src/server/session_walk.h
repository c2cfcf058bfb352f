#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <type_traits>

#include "tunnel/session_table.h"

namespace qdt::server {

/// Visits the sessions of a shard, some at a time, so that packets do not wait. One that opens
/// meanwhile is not visited. The shard's thread.
class SessionWalk {
 public:
  /// Goes on, and calls `visit` with each session, which it may end; true once all were visited. It
  /// may return how many visits' time it took.
  template <typename Visit>
  bool step(const tunnel::SessionTable& sessions, const Visit& visit) {
    // From the end to the beginning: where a session ends meanwhile, the last one takes its place
    // (SessionTable), and that one was visited.
    std::size_t left = std::min(left_.value_or(sessions.size()), sessions.size());
    for (std::size_t n = 0; n < kSessionsPerStep && left > 0; ++n) {
      if constexpr (std::is_void_v<decltype(visit(sessions.at(0)))>) {
        visit(sessions.at(--left));
      } else {
        n += visit(sessions.at(--left)) - 1;
      }
    }
    left_ = left;
    return left == 0;
  }

 private:
  static constexpr std::size_t kSessionsPerStep = 256;  // some microseconds' worth

  std::optional<std::size_t> left_;
};

}  // namespace qdt::server
