#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "base/time.h"

namespace qdt::client {

/// How long to wait before the next attempt: longer and longer, and never in step with the other
/// clients of a server that has just come back ("decorrelated jitter": each delay is drawn between
/// the first one and three times the one before).
class Backoff {
 public:
  struct Options {
    Duration first = 200ms;
    Duration max = 30s;
  };

  explicit Backoff(const Options& options) : options_(options), latest_(options.first) {}

  Duration next(Random& random) {
    const auto spread = static_cast<std::uint64_t>((3 * latest_ - options_.first).count());
    const Duration drawn =
        options_.first + Duration(static_cast<std::int64_t>(random.number() % (spread + 1)));
    latest_ = std::min(drawn, options_.max);
    return latest_;
  }

  /// It worked, or the network is another: from the beginning.
  void reset() { latest_ = options_.first; }

 private:
  Options options_;
  Duration latest_;
};

}  // namespace qdt::client
