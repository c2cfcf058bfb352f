#pragma once

#include <string_view>

#include "os/windows/system_headers.h"

namespace qdt::os {

// The state of this process, as the service manager knows it. Any thread.

/// Whether the service manager runs this process, from enter_service() on.
bool is_service();
/// Registers this process's only service, which is starting from now on, and whose controls reach
/// StopRequest. False: no service manager.
bool enter_service(const wchar_t* name);
/// It is up; does nothing where this process is no service.
void report_running();
void report_stopping();
/// Its end, with the exit status of the program. The last word: Windows may end the process then.
void report_stopped(int exit_status);

}  // namespace qdt::os
