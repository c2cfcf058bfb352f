#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/poller.h"

namespace qdt::os {

/// Makes sure that standard input, output and error lead somewhere: one that is closed would be the
/// next file or socket to be opened, and what is printed would go there. Before anything is opened.
void open_standard_streams();

/// The words of the command line behind the program's name, in UTF-8, which main's own are not on
/// Windows; there the console is told to take UTF-8, too.
std::vector<std::string> program_arguments(int argc, char** argv);

/// Whether what is printed is for a person's eyes now.
bool is_standard_output_a_terminal();

/// Somebody wants this process to do something.
struct ProcessRequest {
  enum class Kind {
    kStop,
    kReread,  ///< its files
  };
  Kind kind = Kind::kStop;
  std::string name;  ///< SIGTERM, Ctrl-C
};

/// Receives the requests to this process (signals; on Windows the console's control events and the
/// service manager's) as something to poll for, and decides about every signal that would end the
/// process where it stands, with the host as it is: linux/process.cc has the list. Made in main,
/// before any thread, so that every thread inherits the blocked signals.
class StopSignal {
 public:
  /// A closed terminal, SIGHUP: ends the process, unless it was told to ignore that (nohup(1)), or
  /// has it read its files again.
  enum class Hangup { kStop, kReread };

  static Result<StopSignal> open(Hangup hangup = Hangup::kStop);
  StopSignal(StopSignal&&) noexcept;
  StopSignal& operator=(StopSignal&&) noexcept;
  ~StopSignal();

  /// The request that arrived, if one did. One thread.
  std::optional<ProcessRequest> take();
  PollHandle poll_handle() const;
  /// Ready while a request to stop waits to be taken: one to read files again leaves it alone.
  PollHandle end_handle() const;

 private:
  StopSignal(std::intptr_t handle, std::intptr_t end_handle, Hangup hangup)
      : handle_(handle), end_handle_(end_handle), hangup_(hangup) {}
  std::intptr_t handle_ = -1;
  std::intptr_t end_handle_ = -1;
  Hangup hangup_ = Hangup::kStop;
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

/// This host's name, and its addresses but loopback and link-local ones. On Linux those that its
/// packets to the world have come first.
std::string host_name();
std::vector<IpAddress> host_addresses();
/// Whether this host has a network interface of this name now.
bool has_interface(const std::string& name);

}  // namespace qdt::os
