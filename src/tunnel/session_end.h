#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qdt::tunnel {

/// Why a session ended; the number is the reason byte of a Close datagram (docs/protocol-v1.md).
enum class SessionEnd : std::uint8_t {
  kDone = 0,              ///< an orderly exit
  kShutdown = 1,          ///< the server is shutting down
  kIdle = 2,              ///< no packet for session_timeout
  kReplaced = 3,          ///< the client has a newer session
  kExhausted = 4,         ///< every counter was used
  kKicked = 5,            ///< the server's operator asked for it
  kUserRemoved = 6,       ///< the user is not among the server's any more
  kUserDisabled = 7,      ///< the operator has disabled the user
  kUserExpired = 8,       ///< the user's time is over
  kDeviceRemoved = 9,     ///< the device is removed, or has another key
  kQuotaUsedUp = 10,      ///< the user has used up its quota
  kConnectionLost = 255,  ///< never sent: the QUIC connection ended first
};

/// How many there are; the last one is kConnectionLost.
inline constexpr std::size_t kSessionEnds = 12;

constexpr std::size_t index_of(SessionEnd end) {
  return std::min<std::size_t>(static_cast<std::size_t>(end), kSessionEnds - 1);
}

/// By index_of(), for metrics.
inline constexpr std::array<std::string_view, kSessionEnds> kSessionEndLabels = {
    "done",         "shutdown",       "idle",         "replaced",
    "exhausted",    "kicked",         "user_removed", "user_disabled",
    "user_expired", "device_removed", "quota_used",   "connection_lost"};

}  // namespace qdt::tunnel
