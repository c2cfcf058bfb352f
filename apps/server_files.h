#pragma once

#include <string>

#include "ops/config.h"
#include "ops/log.h"
#include "quic/tls.h"
#include "server/server.h"

namespace qdt::apps {

/// The files that a running server reads again when it is asked to (SIGHUP). A file that is not
/// sound changes nothing, and the log says so.
class ServerFiles {
 public:
  /// As they are in force now.
  ServerFiles(std::string config_path, const ops::Loaded<ops::ServerConfig>& loaded,
              const quic::Fingerprint& fingerprint, const quic::ServerSecret& secret,
              ops::LevelLogger& logger);

  /// In force at once: certificate and key, for clients that connect from now on, and log_level.
  /// Which other keys have changed since the start is told: they need a restart. `cause` asked.
  void read_again(server::Server& server, const std::string& cause);

 private:
  std::string config_path_;
  std::string text_;  // of the configuration that the server was started with
  LogLevel level_;
  quic::Fingerprint fingerprint_;
  quic::ServerSecret secret_;
  ops::LevelLogger& logger_;
};

}  // namespace qdt::apps
