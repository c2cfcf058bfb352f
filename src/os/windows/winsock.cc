#include "os/windows/winsock.h"

#include "os/windows/system_error.h"

namespace qdt::os {

Result<void> start_winsock() {
  static const int kError = [] {
    WSADATA found{};
    return ::WSAStartup(MAKEWORD(2, 2), &found);
  }();
  if (kError != 0) return windows_error("start Winsock", static_cast<DWORD>(kError));
  return {};
}

}  // namespace qdt::os
