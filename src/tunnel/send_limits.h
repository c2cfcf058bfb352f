#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"

namespace qdt::tunnel {

/// The limit that keeps a session from sending more.
enum class SendLimit : std::uint8_t {
  kApplication,  ///< nothing waits
  kWindow,       ///< as much is under way as congestion control allows
  kPacing,       ///< it is not time for the next burst
  kSocket,       ///< the socket takes nothing
  kUser,         ///< the user's rate
};
inline constexpr std::size_t kSendLimits = 5;

/// How long each limit was the one: counted from change to change, by the clock of the calls that
/// bring them about. One thread.
class SendLimits {
 public:
  explicit SendLimits(Timestamp now) : since_(now) {}

  void set(SendLimit limit, Timestamp now) {
    if (limit == limit_) return;
    count(now);
    limit_ = limit;
  }

  /// The times since the last call, in the order of the limits.
  std::array<Duration, kSendLimits> take(Timestamp now) {
    count(now);
    return std::exchange(times_, {});
  }

 private:
  void count(Timestamp now) {
    if (now <= since_) return;
    times_[static_cast<std::size_t>(limit_)] += now - since_;
    since_ = now;
  }

  SendLimit limit_ = SendLimit::kApplication;
  Timestamp since_;
  std::array<Duration, kSendLimits> times_{};
};

}  // namespace qdt::tunnel
