#pragma once

#include <utility>

#include "os/windows/system_headers.h"

namespace qdt::os {

/// Owns a kernel object's handle and closes it. Null: none; INVALID_HANDLE_VALUE, which file
/// functions return for none, becomes null.
class UniqueHandle {
 public:
  UniqueHandle() = default;
  explicit UniqueHandle(HANDLE handle)
      : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.handle_, nullptr));
    return *this;
  }
  ~UniqueHandle() { reset(); }

  bool is_open() const { return handle_ != nullptr; }
  HANDLE get() const { return handle_; }
  /// Gives up ownership: the caller closes it.
  HANDLE release() { return std::exchange(handle_, nullptr); }
  /// Closes what it held and takes `handle`. Leaves the last error alone.
  void reset(HANDLE handle = nullptr) {
    const DWORD error = ::GetLastError();
    if (is_open()) ::CloseHandle(handle_);
    ::SetLastError(error);
    handle_ = handle;
  }

 private:
  HANDLE handle_ = nullptr;
};

/// Owns a socket and closes it.
class UniqueSocket {
 public:
  UniqueSocket() = default;
  explicit UniqueSocket(SOCKET socket) : socket_(socket) {}
  UniqueSocket(UniqueSocket&& other) noexcept
      : socket_(std::exchange(other.socket_, INVALID_SOCKET)) {}
  UniqueSocket& operator=(UniqueSocket&& other) noexcept {
    if (this != &other) reset(std::exchange(other.socket_, INVALID_SOCKET));
    return *this;
  }
  ~UniqueSocket() { reset(); }

  bool is_open() const { return socket_ != INVALID_SOCKET; }
  SOCKET get() const { return socket_; }
  SOCKET release() { return std::exchange(socket_, INVALID_SOCKET); }
  void reset(SOCKET socket = INVALID_SOCKET) {
    const int error = ::WSAGetLastError();
    if (is_open()) ::closesocket(socket_);
    ::WSASetLastError(error);
    socket_ = socket;
  }

 private:
  SOCKET socket_ = INVALID_SOCKET;
};

/// An event object, in no state yet. Fails only without memory.
inline UniqueHandle make_event(bool is_manual_reset = true) {
  return UniqueHandle(::CreateEventW(nullptr, is_manual_reset ? TRUE : FALSE, FALSE, nullptr));
}

}  // namespace qdt::os
