#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "os/windows/unique_handle.h"

namespace qdt::os {

/// The request that this process stop, whoever makes it: the console's control handler or the
/// service manager's, on threads of Windows'. There is one for the process, because Windows calls
/// the former without any context. Any thread.
class StopRequest {
 public:
  static StopRequest& of_process();

  /// `name` is a literal, such as "Ctrl-C".
  void make(const char* name);
  /// The cause of the request, once.
  std::optional<std::string> take();
  /// Set from make() until take(); null without memory.
  HANDLE event() const { return event_.get(); }

  /// Has the console make it (Ctrl-C, Ctrl-Break, the window closed, logoff, shutdown).
  bool listen_to_console();

 private:
  UniqueHandle event_ = make_event();
  std::atomic<const char*> name_ = nullptr;
};

}  // namespace qdt::os
