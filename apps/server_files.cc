#include "server_files.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/words.h"
#include "decoy_site.h"
#include "ops/config_reload.h"
#include "os/file_stamp.h"
#include "quic/certificate.h"
#include "server/certificate_file.h"
#include "server_options.h"

namespace qdt::apps {
namespace {

using Part = os::HostFileReader::Part;

// With the place in the configuration of the key that the error is about.
std::unexpected<Error> at_its_key(const std::string& path,
                                  const ops::Loaded<ops::ServerConfig>& loaded,
                                  const std::string& key, const Error& error) {
  std::string message = error.message;
  const std::string subject = key + ": ";
  if (message.starts_with(subject)) message.erase(0, subject.size());
  return fail(loaded.at(path, key, "", message), error.code);
}

// The key that an error of server/certificate_file.h is about.
std::string key_of(const Error& error) {
  return error.message.starts_with("tls_cert: ") ? "tls_cert" : "tls_key";
}

}  // namespace

std::int64_t unix_seconds() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())
      .time_since_epoch()
      .count();
}

std::uint64_t stamp_of_certificate(const ops::ServerConfig& config) {
  return os::file_stamp({config.tls_cert, config.tls_key});
}

std::unique_ptr<ops::LevelLogger> ServerFileReader::make_logger() {
  auto logger = ops::make_logger(in_force_.log_level, in_force_.log_json);
  logger_ = logger.get();
  return logger;
}

Result<std::vector<std::string>> ServerFileReader::read(Part part) {
  if (part == Part::kAll) return read_all();
  const auto files =
      server::read_certificate_files(in_force_.tls_cert, in_force_.tls_key, in_force_.user);
  if (!files) return fail(files);
  return std::vector{files->certificate, files->key};
}

Result<std::vector<std::string>> ServerFileReader::read_all() {
  const auto loaded = ops::load_server_config(config_path_);
  if (!loaded) return fail(loaded);
  const ops::ServerConfig& config = loaded->config;
  const auto files = server::read_certificate_files(config.tls_cert, config.tls_key, config.user);
  if (!files) return at_its_key(config_path_, *loaded, key_of(files.error()), files.error());
  auto site = read_decoy(config.decoy);
  if (!site) return at_its_key(config_path_, *loaded, "decoy", site.error());
  for (const std::string& note : loaded->notes) logger_->warning(note);
  found_ = config;
  return std::vector{loaded->text, files->certificate, files->key, std::move(*site)};
}

void ServerFileReader::adopt() {
  in_force_ = ops::reloaded(in_force_, found_);
  logger_->set_level(in_force_.log_level);
}

std::uint64_t ServerFileReader::certificate_stamp() const {
  return stamp_of_certificate(in_force_);
}

ServerFiles::ServerFiles(std::string config_path, const ops::Loaded<ops::ServerConfig>& loaded,
                         const quic::TlsServerContext& tls, std::uint64_t certificate_stamp,
                         const quic::ServerSecret& secret, os::HostControl& host,
                         ServerUsers& users, ops::LevelLogger& logger)
    : config_path_(std::move(config_path)),
      start_(loaded.config),
      start_text_(loaded.text),
      in_force_(loaded.config),
      text_(loaded.text),
      fingerprint_(tls.fingerprint()),
      secret_(secret),
      watch_(loaded.config.tls_cert, tls.certificate()),
      changes_(certificate_stamp),
      host_(host),
      users_(users),
      logger_(logger) {}

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
  // That a file is not there is not to be taken for a server that is not.
  reloaded.error() = {"nothing is changed: " + reloaded.error().message};
  logger_.error(cause + ": " + reloaded.error().message);
  return reloaded;
}

Result<control::Reloaded> ServerFiles::read_again_quietly(server::Server& server,
                                                          const std::string& cause,
                                                          os::PollHandle stop) {
  const auto contents = host_.read_files(Part::kAll, stop);
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
  if (!tls) return at_its_key(config_path_, *loaded, "tls_key", tls.error());
  const auto decoy = make_decoy(loaded->config.decoy, (*contents)[3]);
  if (!decoy) return at_its_key(config_path_, *loaded, "decoy", decoy.error());
  if (const auto adopted = host_.adopt_files(stop); !adopted) return fail(adopted);

  // From here on nothing fails. The more talkative of the two levels decides whether this is seen.
  const LogLevel level = loaded->config.log_level;
  logger_.set_level(std::min(level, in_force_.log_level));
  const bool is_same = tls->fingerprint() == fingerprint_;
  logger_.info(cause + ": read " + config_path_ + " and the certificate again: " +
               (is_same ? "the same certificate"
                        : "clients are shown the certificate " +
                              quic::fingerprint_text(tls->fingerprint()) + " from now on"));
  in_force_ = ops::reloaded(start_, loaded->config);
  use_certificate(server, std::move(*tls));
  for (const std::string& note : decoy->notes) logger_.warning("decoy: " + note);
  server.use_decoy(decoy->decoy);
  use_settings(server);
  auto reloaded = tell_keys(text);
  reloaded.is_new_certificate = !is_same;
  logger_.set_level(level);
  return reloaded;
}

void ServerFiles::use_certificate(server::Server& server, quic::TlsServerContext tls) {
  fingerprint_ = tls.fingerprint();
  watch_.replace(in_force_.tls_cert, tls.certificate());
  tls.offer_resumption(secret_);
  server.use_certificate(std::make_shared<const quic::TlsServerContext>(std::move(tls)));
}

void ServerFiles::use_settings(server::Server& server) {
  const server::Server::Options options = server_options(in_force_);
  users_.use_configuration(server, options.admission);
  server.use_pushed(options.reception.offer.pushed);
}

control::Reloaded ServerFiles::tell_keys(const std::string& text) {
  control::Reloaded reloaded{.certificate = quic::fingerprint_text(fingerprint_)};
  for (const std::string& key : ops::changed_server_keys(text_, text)) {
    if (ops::is_taken_at_once(key)) reloaded.in_force.push_back(key);
  }
  for (const std::string& key : ops::changed_server_keys(start_text_, text)) {
    if (!ops::is_taken_at_once(key)) reloaded.needs_restart.push_back(key);
  }
  text_ = text;
  if (!reloaded.in_force.empty()) {
    logger_.info("changed in " + config_path_ +
                 ", and in force from now on: " + list_in_words(reloaded.in_force));
  }
  if (!reloaded.needs_restart.empty()) {
    logger_.warning("changed in " + config_path_ + ", but in force only after a restart: " +
                    list_in_words(reloaded.needs_restart));
  }
  return reloaded;
}

void ServerFiles::follow_certificate(server::Server& server, Timestamp now, os::PollHandle stop) {
  if (now < look_at_) return;
  look_at_ = now + 1s;
  const auto stamp = host_.certificate_stamp();
  if (!stamp || !changes_.look(*stamp, now)) return;
  const auto read = read_certificate(server, stop);
  if (!changes_.on_read(read.has_value(), now)) return;
  logger_.error(
      "the files of the certificate have changed, and the one from before stays in use: " +
      read.error().message);
}

Result<void> ServerFiles::read_certificate(server::Server& server, os::PollHandle stop) {
  const auto contents = host_.read_files(Part::kCertificate, stop);
  if (!contents) return fail(contents);
  if (contents->size() != 2) return fail("no files came");
  auto tls = server::use_certificate({.certificate_path = in_force_.tls_cert,
                                      .key_path = in_force_.tls_key,
                                      .certificate = (*contents)[0],
                                      .key = (*contents)[1]});
  if (!tls) return fail(tls);
  const std::string words = quic::fingerprint_text(tls->fingerprint());
  if (tls->fingerprint() == fingerprint_) {
    logger_.debug("the files of the certificate were written, and read again: the same " + words);
  } else {
    logger_.info("the files of the certificate have changed: clients are shown the certificate " +
                 words + " from now on");
  }
  use_certificate(server, std::move(*tls));
  return {};
}

}  // namespace qdt::apps
