#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

// Wintun's public interface (wintun.h of version 0.14, described at wintun.net), as far as it is
// used: two rings between this process and the driver.
struct WintunAdapter;
struct WintunSession;

inline constexpr const char* kWintunFile = "wintun.dll";
inline constexpr const char* kWintunDownload = "wintun-0.14.1.zip";

struct WintunFunctions {
  enum class LogLevel : int { kInfo, kWarning, kError };
  using LogCallback = void(CALLBACK*)(LogLevel level, DWORD64 timestamp, const wchar_t* message);

  WintunAdapter*(WINAPI* create_adapter)(const wchar_t* name, const wchar_t* tunnel_type,
                                         const GUID* requested_guid) = nullptr;
  void(WINAPI* close_adapter)(WintunAdapter* adapter) = nullptr;
  void(WINAPI* get_adapter_luid)(WintunAdapter* adapter, NET_LUID* luid) = nullptr;
  DWORD(WINAPI* get_running_driver_version)() = nullptr;
  void(WINAPI* set_logger)(LogCallback callback) = nullptr;
  WintunSession*(WINAPI* start_session)(WintunAdapter* adapter, DWORD ring_bytes) = nullptr;
  void(WINAPI* end_session)(WintunSession* session) = nullptr;
  HANDLE(WINAPI* get_read_wait_event)(WintunSession* session) = nullptr;
  /// Null with ERROR_NO_MORE_ITEMS when the ring is empty, ERROR_HANDLE_EOF when the adapter has
  /// gone, ERROR_INVALID_DATA when the ring is corrupt.
  std::uint8_t*(WINAPI* receive_packet)(WintunSession* session, DWORD* bytes) = nullptr;
  void(WINAPI* release_receive_packet)(WintunSession* session,
                                       const std::uint8_t* packet) = nullptr;
  /// Null with ERROR_BUFFER_OVERFLOW when the ring is full.
  std::uint8_t*(WINAPI* allocate_send_packet)(WintunSession* session, DWORD bytes) = nullptr;
  void(WINAPI* send_packet)(WintunSession* session, const std::uint8_t* packet) = nullptr;
};

/// wintun.dll, loaded.
class WintunLibrary {
 public:
  /// From `folder` and nowhere else, after a look at its architecture and its signature. The errors
  /// say where to get the right file.
  static Result<std::unique_ptr<WintunLibrary>> load(const std::string& folder);
  ~WintunLibrary();
  WintunLibrary(const WintunLibrary&) = delete;
  WintunLibrary& operator=(const WintunLibrary&) = delete;

  const WintunFunctions* operator->() const { return &functions_; }

 private:
  explicit WintunLibrary(HMODULE library) : library_(library) {}
  Result<void> find_functions(const std::string& path);

  HMODULE library_ = nullptr;
  WintunFunctions functions_;
};

}  // namespace qdt::os
