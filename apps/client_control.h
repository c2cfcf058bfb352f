#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/logger.h"
#include "client/client.h"
#include "command_line.h"
#include "os/host_control.h"

namespace qdt::apps {

/// A client's control socket. Its end gives those who ask a moment to get their answers.
class ClientControl {
 public:
  virtual ~ClientControl() = default;
  /// Answers from now on. Once.
  virtual void run() = 0;
};

/// Listens, without a thread. Null where it cannot be had (the log says so), and on Windows. What
/// is referred to outlives it.
std::unique_ptr<ClientControl> open_client_control(os::HostControl& host, client::Client& client,
                                                   const std::string& tun_name, Logger& logger);

/// `qdt-client status`, `reconnect` and `stop`; the exit code.
int control_client(const std::string& program, const ControlCommand& command);

/// The state of a client that does not run.
inline constexpr std::string_view kNotRunning = "not running";
/// The state of the client with this TUN device, in a word or two.
std::string client_state(const std::string& tun_name);

/// The exit code of a status (README, Exit status).
constexpr int status_code(client::State state) {
  switch (state) {
    case client::State::kConnected: return 0;
    case client::State::kRefused: return 2;
    case client::State::kConnecting:
    case client::State::kSilent:
    case client::State::kReconnecting: return 3;
    case client::State::kDegraded: return 5;
  }
  return 1;
}

}  // namespace qdt::apps
