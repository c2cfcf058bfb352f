#include "os/process.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "os/windows/command_words.h"
#include "os/windows/poll_handle.h"
#include "os/windows/service_state.h"
#include "os/windows/socket_address.h"
#include "os/windows/stop_request.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

// After <windows.h>, whose types it needs.
#include <timeapi.h>

namespace qdt::os {

// The handles of closed streams are not given out again.
void open_standard_streams() {}

bool is_standard_output_a_terminal() {
  DWORD mode = 0;
  return ::GetConsoleMode(::GetStdHandle(STD_OUTPUT_HANDLE), &mode) != 0;
}

std::vector<std::string> program_arguments(int /*argc*/, char** /*argv*/) {
  ::SetConsoleOutputCP(CP_UTF8);
  std::vector<std::string> words = to_words(::GetCommandLineW());
  if (!words.empty()) words.erase(words.begin());
  return words;
}

// The handle is the process's, not the object's.
Result<StopSignal> StopSignal::open(Hangup hangup) {
  StopRequest& request = StopRequest::of_process();
  const bool is_heard = request.event() != nullptr && request.listen_to_console();
  if (!is_heard) return windows_error("receive console control events");
  const auto event = reinterpret_cast<std::intptr_t>(request.event());
  return StopSignal(event, event, hangup);
}

StopSignal::StopSignal(StopSignal&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)),
      end_handle_(std::exchange(other.end_handle_, -1)),
      hangup_(other.hangup_) {}

StopSignal& StopSignal::operator=(StopSignal&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(end_handle_, other.end_handle_);
  std::swap(hangup_, other.hangup_);
  return *this;
}

StopSignal::~StopSignal() = default;

std::optional<ProcessRequest> StopSignal::take() {
  auto name = StopRequest::of_process().take();
  if (!name) return std::nullopt;
  return ProcessRequest{ProcessRequest::Kind::kStop, std::move(*name)};
}

PollHandle StopSignal::poll_handle() const {
  return PollHandle{handle_};
}

PollHandle StopSignal::end_handle() const {
  return PollHandle{end_handle_};
}

void notify_ready(std::string_view /*status*/) {
  report_running();
}

void notify_stopping() {
  report_stopping();
}

// The service manager shows no words.
void notify_status(std::string_view /*status*/) {}

// Exists in Windows 10 1607 and later, and not in mingw-w64's headers.
void name_thread(const std::string& name) {
  using SetDescription = HRESULT(WINAPI*)(HANDLE thread, const wchar_t* description);
  static const auto kSetDescription = reinterpret_cast<SetDescription>(reinterpret_cast<void*>(
      ::GetProcAddress(::GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription")));
  if (kSetDescription != nullptr) kSetDescription(::GetCurrentThread(), to_wide(name).c_str());
}

// The poller's timers are sharp where Windows has such (10 1803 and later); before that the clock
// that all waits go by ticks each millisecond for whoever asks.
void sharpen_timers() {
  constexpr DWORD kHighResolution = 2;  // CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
  const UniqueHandle timer(
      ::CreateWaitableTimerExW(nullptr, nullptr, kHighResolution, TIMER_MODIFY_STATE));
  if (!timer.is_open()) ::timeBeginPeriod(1);
}

std::string platform() {
  return "windows";
}

std::string host_name() {
  std::array<wchar_t, 256> name{};
  DWORD length = name.size();
  if (::GetComputerNameExW(ComputerNamePhysicalDnsHostname, name.data(), &length) == 0) return "";
  return to_utf8({name.data(), length});
}

bool has_interface(const std::string& name) {
  NET_LUID luid{};
  return ::ConvertInterfaceAliasToLuid(to_wide(name).c_str(), &luid) == NO_ERROR;
}

std::vector<IpAddress> host_addresses() {
  constexpr ULONG kFlags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST |
                           GAA_FLAG_SKIP_DNS_SERVER | GAA_FLAG_SKIP_FRIENDLY_NAME;
  std::vector<std::uint8_t> memory(1 << 15);
  const auto first = [&] { return reinterpret_cast<IP_ADAPTER_ADDRESSES*>(memory.data()); };
  ULONG error = ERROR_BUFFER_OVERFLOW;
  for (int tries = 0; tries < 3 && error == ERROR_BUFFER_OVERFLOW; ++tries) {
    auto bytes = static_cast<ULONG>(memory.size());
    error = ::GetAdaptersAddresses(AF_UNSPEC, kFlags, nullptr, first(), &bytes);
    if (error == ERROR_BUFFER_OVERFLOW) memory.resize(bytes);
  }
  if (error != NO_ERROR) return {};

  std::vector<IpAddress> addresses;
  for (const auto* adapter = first(); adapter != nullptr; adapter = adapter->Next) {
    if (adapter->OperStatus != IfOperStatusUp) continue;
    for (const auto* entry = adapter->FirstUnicastAddress; entry != nullptr; entry = entry->Next) {
      const IpAddress address = from_kernel(entry->Address.lpSockaddr).address;
      if (!address.is_loopback() && !address.is_link_local()) addresses.push_back(address);
    }
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  return addresses;
}

}  // namespace qdt::os
