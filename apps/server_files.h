#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/server_api.h"
#include "ops/config.h"
#include "ops/log.h"
#include "os/host_control.h"
#include "quic/tls.h"
#include "server/certificate_watch.h"
#include "server/file_watch.h"
#include "server/server.h"
#include "server_users.h"

namespace qdt::apps {

/// The wall clock, in seconds since the Unix epoch.
std::int64_t unix_seconds();

/// os::file_stamp() of the certificate and its key.
std::uint64_t stamp_of_certificate(const ops::ServerConfig& config);

/// Reads the server's files again, in the host process. The path of the configuration is settled at
/// the start.
class ServerFileReader final : public os::HostFileReader {
 public:
  ServerFileReader(std::string config_path, const ops::ServerConfig& config)
      : config_path_(std::move(config_path)), in_force_(config), found_(config) {}

  /// A logger that follows the level of the configuration in force.
  std::unique_ptr<ops::LevelLogger> make_logger();

  /// The configuration, the certificate and the key that it names, and the result of read_decoy();
  /// or the certificate and the key alone.
  Result<std::vector<std::string>> read(Part part) override;
  std::vector<IpAddress> name_servers() const override { return found_.dns; }
  void adopt() override;
  std::uint64_t certificate_stamp() const override;

 private:
  Result<std::vector<std::string>> read_all();

  std::string config_path_;
  ops::ServerConfig in_force_;
  ops::ServerConfig found_;
  ops::LevelLogger* logger_ = nullptr;
};

/// The files that a running server reads again: all of them when it is asked to (SIGHUP), the
/// certificate and its key also when they have changed. All of them are put in force, or, where one
/// is not sound, nothing is, and the log says so.
class ServerFiles {
 public:
  /// As they are in force now. `certificate_stamp`: from before the certificate was read.
  ServerFiles(std::string config_path, const ops::Loaded<ops::ServerConfig>& loaded,
              const quic::TlsServerContext& tls, std::uint64_t certificate_stamp,
              const quic::ServerSecret& secret, os::HostControl& host, ServerUsers& users,
              ops::LevelLogger& logger);

  /// In force at once: what ops::is_taken_at_once(), for clients that connect from now on;
  /// rate_limit also for those that are connected. Which other keys have changed since the start is
  /// told: they need a restart. `cause` asked.
  /// Once `stop` is readable nobody waits for files that are slow. The log tells the same.
  Result<control::Reloaded> read_again(server::Server& server, const std::string& cause,
                                       os::PollHandle stop);
  /// Reads certificate and key again once their files have changed. About once a second.
  void follow_certificate(server::Server& server, Timestamp now, os::PollHandle stop);
  /// Tells of a certificate that is near its end or past it, at the first call and once a day.
  void watch_certificate();
  /// The end of the certificate in use, in seconds since the Unix epoch; any thread may read it.
  const std::atomic<std::int64_t>& certificate_expiry() const { return watch_.expiry(); }

 private:
  Result<control::Reloaded> read_again_quietly(server::Server& server, const std::string& cause,
                                               os::PollHandle stop);
  Result<void> read_certificate(server::Server& server, os::PollHandle stop);
  void use_certificate(server::Server& server, quic::TlsServerContext tls);
  void use_settings(server::Server& server);
  control::Reloaded tell_keys(const std::string& text);

  std::string config_path_;
  const ops::ServerConfig start_;  // which the server was started with
  const std::string start_text_;
  ops::ServerConfig in_force_;
  std::string text_;  // of the configuration that was read last
  quic::Fingerprint fingerprint_;
  quic::ServerSecret secret_;
  server::CertificateWatch watch_;
  server::FileWatch changes_;
  Timestamp look_at_;
  os::HostControl& host_;
  ServerUsers& users_;
  ops::LevelLogger& logger_;
};

}  // namespace qdt::apps
