#include "os/windows/resume_notice.h"

// mingw-w64 has these of powrprof.h in its import library alone (Windows 8 and later).
extern "C" {
struct QdtPowerSubscription {  // DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS
  ULONG(CALLBACK* callback)(void* context, ULONG type, void* setting);
  void* context;
};
__declspec(dllimport) DWORD WINAPI PowerRegisterSuspendResumeNotification(DWORD flags,
                                                                          HANDLE recipient,
                                                                          void** registration);
__declspec(dllimport) DWORD WINAPI PowerUnregisterSuspendResumeNotification(void* registration);
}

namespace qdt::os {
namespace {

constexpr DWORD kNotifyByCallback = 2;  // DEVICE_NOTIFY_CALLBACK

ULONG CALLBACK on_power_event(void* event, ULONG type, void* /*setting*/) {
  const bool is_resume = type == PBT_APMRESUMEAUTOMATIC || type == PBT_APMRESUMESUSPEND;
  if (is_resume) ::SetEvent(event);
  return ERROR_SUCCESS;
}

}  // namespace

ResumeNotice::ResumeNotice(HANDLE event) {
  // The parameters are copied; the callback runs on a thread of Windows'.
  QdtPowerSubscription parameters{.callback = on_power_event, .context = event};
  void* registration = nullptr;
  if (::PowerRegisterSuspendResumeNotification(kNotifyByCallback, &parameters, &registration) ==
      ERROR_SUCCESS) {
    registration_ = registration;
  }
}

ResumeNotice::~ResumeNotice() {
  if (registration_ != nullptr) ::PowerUnregisterSuspendResumeNotification(registration_);
}

}  // namespace qdt::os
