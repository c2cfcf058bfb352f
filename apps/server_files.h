#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/server_api.h"
#include "ops/config.h"
#include "ops/log.h"
#include "os/host_control.h"
#include "quic/tls.h"
#include "server/certificate_watch.h"
#include "server/server.h"

namespace qdt::apps {

/// The wall clock, in seconds since the Unix epoch.
std::int64_t unix_seconds();

/// Reads the server's files again, in the host process: they may be root's alone. The path of the
/// configuration is settled at the start.
class ServerFileReader {
 public:
  explicit ServerFileReader(std::string config_path) : config_path_(std::move(config_path)) {}

  /// A logger that follows the level of the configuration that read() finds.
  std::unique_ptr<ops::LevelLogger> make_logger(const ops::ServerConfig& config);
  /// The configuration, which is valid, the certificate and the key that it names, and the result
  /// of read_decoy().
  Result<std::vector<std::string>> read();

 private:
  std::string config_path_;
  ops::LevelLogger* logger_ = nullptr;
};

/// The files that a running server reads again when it is asked to (SIGHUP). A file that is not
/// sound changes nothing, and the log says so.
class ServerFiles {
 public:
  /// As they are in force now.
  ServerFiles(std::string config_path, const ops::Loaded<ops::ServerConfig>& loaded,
              const quic::TlsServerContext& tls, const quic::ServerSecret& secret,
              os::HostControl& host, ops::LevelLogger& logger);

  /// In force at once: certificate and key, for clients that connect from now on, the decoy with
  /// its files, and log_level.
  /// Which other keys have changed since the start is told: they need a restart. `cause` asked.
  /// Once `stop` is readable nobody waits for files that are slow. The log tells the same.
  Result<control::Reloaded> read_again(server::Server& server, const std::string& cause,
                                       os::PollHandle stop);
  /// Tells of a certificate that is near its end or past it, at the first call and once a day.
  void watch_certificate();
  /// The end of the certificate in use, in seconds since the Unix epoch; any thread may read it.
  const std::atomic<std::int64_t>& certificate_expiry() const { return watch_.expiry(); }

 private:
  Result<control::Reloaded> read_again_quietly(server::Server& server, const std::string& cause,
                                               os::PollHandle stop);

  std::string config_path_;
  std::string text_;  // of the configuration that the server was started with
  LogLevel level_;
  quic::Fingerprint fingerprint_;
  quic::ServerSecret secret_;
  server::CertificateWatch watch_;
  os::HostControl& host_;
  ops::LevelLogger& logger_;
};

}  // namespace qdt::apps
