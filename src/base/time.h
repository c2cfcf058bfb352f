#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>

namespace qdt {

/// The clock of the pure core: never read there, only passed in. The shell fills it from
/// CLOCK_BOOTTIME, so time spent asleep counts; the simulator from its own virtual time.
struct TunnelClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<TunnelClock>;
  static constexpr bool is_steady = true;
};

using Timestamp = TunnelClock::time_point;
using Duration = TunnelClock::duration;

/// A moment that does not come: no timer is set.
inline constexpr Timestamp kNever = Timestamp::max();

using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

}  // namespace qdt
