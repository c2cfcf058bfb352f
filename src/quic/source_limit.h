#pragma once

#include <cstdint>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "base/token_bucket.h"

namespace qdt::quic {

/// A limit of so many a second that a few sources cannot use up for the others. Sources, an IPv4
/// address or an IPv6 /48 each, fall into kGroups groups by a secret hash, and a group has a limit
/// of its own below that of all. The first of a group for a second passes whatever the others have
/// used. Fixed memory; the same time for each, however many sources there are. One thread.
class SourceLimit {
 public:
  struct Options {
    RateLimit all;
    RateLimit each;  ///< of a group
  };
  static constexpr std::size_t kGroups = 1024;

  /// `seed`: nobody outside knows it.
  SourceLimit(const Options& options, std::uint64_t seed)
      : options_(options), seed_(seed), all_(options.all), groups_(kGroups, unused()) {}

  /// Whether one more from `source` may pass now; if so, it has.
  bool take(const IpAddress& source, Timestamp now);

 private:
  static constexpr Duration kRare = 1s;
  struct Group {
    Timestamp passed;  // the latest
    float tokens = 0;  // at that time
  };

  Group unused() const {
    return {.passed = Timestamp{} - kRare, .tokens = static_cast<float>(options_.each.burst)};
  }
  Group& group_of(const IpAddress& source);

  Options options_;
  std::uint64_t seed_;
  TokenBucket all_;
  std::vector<Group> groups_;
};

}  // namespace qdt::quic
