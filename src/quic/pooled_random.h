#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/random.h"

namespace qdt::quic {

/// Random bytes of another source, drawn from it a kilobyte at a time: a system call for each
/// answer to a stranger would cost more than all the rest of it. For what is sent in the clear, and
/// not for keys. One thread.
class PooledRandom final : public Random {
 public:
  /// `source` outlives it.
  explicit PooledRandom(Random& source) : source_(source) {}

  void fill(MutableBytes out) override {
    while (!out.empty()) {
      if (used_ == pool_.size()) {
        source_.fill(pool_);
        used_ = 0;
      }
      const Bytes rest = Bytes(pool_).subspan(used_);
      const Bytes part = rest.first(std::min(rest.size(), out.size()));
      out = append(out, part);
      used_ += part.size();
    }
  }

 private:
  static constexpr std::size_t kPoolBytes = 1024;

  Random& source_;
  std::array<std::uint8_t, kPoolBytes> pool_{};
  std::size_t used_ = kPoolBytes;
};

}  // namespace qdt::quic
