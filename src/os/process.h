#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/poller.h"

namespace qdt::os {

/// The words of the command line behind the program's name, in UTF-8, which main's own are not on
/// Windows; there the console is told to take UTF-8, too.
std::vector<std::string> program_arguments(int argc, char** argv);

/// Receives this process's requests to stop (SIGTERM, SIGINT; on Windows the console's control
/// events and the service manager's) as something to poll for. Made in main, before any thread, so
/// that every thread inherits the blocked signals.
class StopSignal {
 public:
  static Result<StopSignal> open();
  StopSignal(StopSignal&&) noexcept;
  StopSignal& operator=(StopSignal&&) noexcept;
  ~StopSignal();

  /// The name of the signal that arrived, if one did.
  std::optional<std::string> take();
  PollHandle poll_handle() const;

 private:
  explicit StopSignal(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

/// Tells the service manager, where there is one, that start-up is complete, or that the process
/// is about to stop (sd_notify(3)).
void notify_ready(std::string_view status);
void notify_stopping();
/// Shows `status` in `systemctl status`.
void notify_status(std::string_view status);

/// Names the calling thread in ps, top and perf; at most 15 letters.
void name_thread(const std::string& name);
/// Lets the calling thread's timers come when they are due. By default Linux lets them come up to
/// 50 us late (prctl(2), PR_SET_TIMERSLACK), half of what pacing waits at a gigabit per second.
void sharpen_timers();

/// The `platform` of a handshake: "linux", "windows".
std::string platform();

/// This host's name, and its addresses but loopback and link-local ones.
std::string host_name();
std::vector<IpAddress> host_addresses();

}  // namespace qdt::os
