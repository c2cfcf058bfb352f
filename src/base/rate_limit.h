#pragma once

namespace qdt {

/// `per_second` on average, `burst` at once; per_second 0 lets everything pass.
struct RateLimit {
  double per_second = 0;
  double burst = 0;

  bool is_unlimited() const { return per_second <= 0; }
  bool operator==(const RateLimit&) const = default;
};

}  // namespace qdt
