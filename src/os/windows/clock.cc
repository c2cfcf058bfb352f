#include "os/clock.h"

#include "os/windows/system_headers.h"

namespace qdt::os {
namespace {

using InterruptTime = void(WINAPI*)(ULONGLONG* time);

// Exists in Windows 10 and later, and in no import library of mingw-w64. In 100 ns since boot, time
// asleep included.
InterruptTime find_interrupt_time() {
  const HMODULE kernel = ::GetModuleHandleW(L"kernelbase.dll");
  if (kernel == nullptr) return nullptr;
  return reinterpret_cast<InterruptTime>(
      reinterpret_cast<void*>(::GetProcAddress(kernel, "QueryInterruptTimePrecise")));
}

// Counts on while the machine sleeps, too, on every processor with an invariant counter.
Timestamp performance_counter() {
  static const std::int64_t kPerSecond = [] {
    LARGE_INTEGER frequency{};
    ::QueryPerformanceFrequency(&frequency);
    return frequency.QuadPart;
  }();
  LARGE_INTEGER ticks{};
  ::QueryPerformanceCounter(&ticks);
  const std::int64_t seconds = ticks.QuadPart / kPerSecond;
  const std::int64_t rest = ticks.QuadPart % kPerSecond;
  return Timestamp(std::chrono::seconds(seconds) +
                   std::chrono::nanoseconds(rest * 1'000'000'000 / kPerSecond));
}

}  // namespace

Timestamp now() {
  static const InterruptTime kInterruptTime = find_interrupt_time();
  if (kInterruptTime == nullptr) return performance_counter();
  ULONGLONG time = 0;
  kInterruptTime(&time);
  return Timestamp(std::chrono::nanoseconds(static_cast<std::int64_t>(time) * 100));
}

}  // namespace qdt::os
