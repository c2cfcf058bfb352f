#pragma once

#include <cstdint>

#include "os/poller.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// The kind of a PollHandle, beside its event object, in the two low bits that Windows keeps free
/// in every handle for its holder (winnt.h: "the low order two bits").
enum class PollKind : std::intptr_t {
  /// Set as long as there is something to read, reset by the reader. Always writable.
  kEvent = 0,
  /// A socket's: writability sets it, too (WSAEventSelect).
  kSocket = 1,
  /// A wait resets it although its reader may leave something: the poller sets it again, and the
  /// reader resets it when there is nothing left.
  kAutoReset = 2,
};

inline PollHandle to_poll_handle(HANDLE event, PollKind kind = PollKind::kEvent) {
  return PollHandle{reinterpret_cast<std::intptr_t>(event) | static_cast<std::intptr_t>(kind)};
}

inline PollKind kind_of(PollHandle handle) {
  return static_cast<PollKind>(static_cast<std::intptr_t>(handle) & 3);
}

inline HANDLE event_of(PollHandle handle) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a handle is a number
  return reinterpret_cast<HANDLE>(static_cast<std::intptr_t>(handle) & ~std::intptr_t{3});
}

}  // namespace qdt::os
