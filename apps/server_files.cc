#include "server_files.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "decoy_site.h"
#include "quic/certificate.h"
#include "server/certificate_file.h"

namespace qdt::apps {

std::int64_t unix_seconds() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())
      .time_since_epoch()
      .count();
}

ServerFiles::ServerFiles(std::string config_path, const ops::Loaded<ops::ServerConfig>& loaded,
                         const quic::TlsServerContext& tls, const quic::ServerSecret& secret,
                         os::HostControl& host, ops::LevelLogger& logger)
    : config_path_(std::move(config_path)),
      text_(loaded.text),
      level_(loaded.config.log_level),
      fingerprint_(tls.fingerprint()),
      secret_(secret),
      watch_(loaded.config.tls_cert, tls.certificate()),
      host_(host),
      logger_(logger) {}

std::unique_ptr<ops::LevelLogger> ServerFileReader::make_logger(const ops::ServerConfig& config) {
  auto logger = ops::make_logger(config.log_level, config.log_json);
  logger_ = logger.get();
  return logger;
}

Result<std::vector<std::string>> ServerFileReader::read() {
  const auto loaded = ops::load_server_config(config_path_);
  if (!loaded) return fail(loaded);
  const auto files = server::read_certificate_files(loaded->config.tls_cert, loaded->config.tls_key,
                                                    loaded->config.user);
  if (!files) return fail(files);
  if (const auto tls = server::use_certificate(*files); !tls) return fail(tls);
  for (const std::string& note : loaded->notes) logger_->warning(note);
  logger_->set_level(loaded->config.log_level);
  auto site = read_decoy(loaded->config.decoy);
  if (!site) return fail("decoy: " + site.error().message);
  return std::vector{loaded->text, files->certificate, files->key, std::move(*site)};
}

void ServerFiles::watch_certificate() {
  const auto notice = watch_.look(unix_seconds());
  if (!notice) return;
  if (notice->level == LogLevel::kError) return logger_.error(notice->text);
  logger_.warning(notice->text);
}

Result<control::Reloaded> ServerFiles::read_again(server::Server& server, const std::string& cause,
                                                  os::PollHandle stop) {
  auto reloaded = read_again_quietly(server, cause, stop);
  if (reloaded) return reloaded;
  reloaded.error().message = "nothing is changed: " + reloaded.error().message;
  logger_.error(cause + ": " + reloaded.error().message);
  return reloaded;
}

Result<control::Reloaded> ServerFiles::read_again_quietly(server::Server& server,
                                                          const std::string& cause,
                                                          os::PollHandle stop) {
  const auto contents = host_.read_files(stop);
  if (!contents) return fail(contents);
  if (contents->size() != 4) return fail("no files came");
  const std::string& text = (*contents)[0];
  auto loaded = ops::parse_server_config(text, config_path_);
  if (!loaded) return fail(loaded);
  ops::resolve_paths(loaded->config, config_path_);
  auto tls = server::use_certificate({.certificate_path = loaded->config.tls_cert,
                                      .key_path = loaded->config.tls_key,
                                      .certificate = (*contents)[1],
                                      .key = (*contents)[2]});
  if (!tls) return fail(tls);
  const auto decoy = make_decoy(loaded->config.decoy, (*contents)[3]);
  if (!decoy) return fail("decoy: " + decoy.error().message);

  // The more talkative of the two levels decides whether this is seen.
  const LogLevel level = loaded->config.log_level;
  logger_.set_level(std::min(level, level_));
  const bool is_same = tls->fingerprint() == fingerprint_;
  logger_.info(cause + ": read " + config_path_ + " and the certificate again: " +
               (is_same ? "the same certificate"
                        : "clients are shown the certificate " +
                              quic::fingerprint_text(tls->fingerprint()) + " from now on"));
  fingerprint_ = tls->fingerprint();
  watch_.replace(loaded->config.tls_cert, tls->certificate());
  tls->offer_resumption(secret_);
  server.use_certificate(std::make_shared<const quic::TlsServerContext>(std::move(*tls)));
  for (const std::string& note : decoy->notes) logger_.warning("decoy: " + note);
  server.use_decoy(decoy->decoy);

  control::Reloaded reloaded{.certificate = quic::fingerprint_text(fingerprint_),
                             .is_new_certificate = !is_same};
  std::string later;
  constexpr std::array<std::string_view, 4> kAtOnce = {"log_level", "tls_cert", "tls_key", "decoy"};
  for (const std::string& key : ops::changed_server_keys(text_, text)) {
    if (std::ranges::find(kAtOnce, key) != kAtOnce.end()) continue;
    later += (later.empty() ? "" : ", ") + key;
    reloaded.needs_restart.push_back(key);
  }
  if (!later.empty()) {
    logger_.warning("changed in " + config_path_ + ", but in force only after a restart: " + later);
  }
  level_ = level;
  logger_.set_level(level);
  return reloaded;
}

}  // namespace qdt::apps
