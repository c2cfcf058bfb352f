// qdt-server: routes many clients' packets between a TUN device and QUIC connections.

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "command_line.h"
#include "first_start.h"
#include "ops/config.h"
#include "ops/log.h"
#include "ops/monitoring.h"
#include "os/clock.h"
#include "os/end_watch.h"
#include "os/file.h"
#include "os/host_network.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/system_random.h"
#include "quic/certificate.h"
#include "quic/tls.h"
#include "server/secret_file.h"
#include "server/server.h"
#include "server_files.h"
#include "server_options.h"

namespace {

using namespace qdt;

constexpr const char* kName = "qdt-server";

const apps::Program kProgram = {
    .name = kName,
    .description =
        "The server of QDT, a VPN inside HTTP/3: clients' packets travel as QUIC "
        "datagrams on UDP port 443.\n",
    .default_config = "server.yaml",
    .footer =
        "Without a configuration file the first start writes one, makes a certificate, and "
        "prints a client.yaml that fits.\nEvery key is explained in server.example.yaml."};

int fail_with(const std::string& message) {
  apps::print_error(kName, message);
  return 1;
}

// Until the process is asked to stop; once a second the host is looked after.
Result<void> serve(server::Server& server, os::StopSignal& stop, apps::ServerFiles& files,
                   Logger& logger) {
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  if (auto ok = poller->add(stop.poll_handle(), 0); !ok) return ok;
  for (;;) {
    const Timestamp now = os::now();
    poller->wait(now + 1s, now);
    while (const auto request = stop.take()) {
      if (request->kind == os::ProcessRequest::Kind::kReread) {
        files.read_again(server, request->name);
        continue;
      }
      logger.info(request->name + ": stopping");
      return {};
    }
    server.check_host();
    server.save_leases();
  }
}

// A file of the server's own, beside its configuration: server.yaml has server.secret.
std::string state_path(const std::string& config_path, const char* extension) {
  return std::filesystem::path(config_path).replace_extension(extension).string();
}

int run(const std::string& config_path, const ops::Loaded<ops::ServerConfig>& loaded,
        quic::TlsServerContext& tls, os::StopSignal& stop) {
  const ops::ServerConfig& config = loaded.config;
  const auto logger = ops::make_logger(config.log_level, config.log_json);
  os::SystemRandom random;
  logger->info("certificate: " + quic::fingerprint_text(tls.fingerprint()));

  server::Server::Options options = apps::server_options(config);
  options.tunnel.endpoint.secret =
      server::load_or_make_secret(state_path(config_path, ".secret"), random, *logger);
  options.lease_path = state_path(config_path, ".leases");
  tls.offer_resumption(options.tunnel.endpoint.secret);
  apps::ServerFiles files(config_path, loaded, tls.fingerprint(), options.tunnel.endpoint.secret,
                          *logger);
  std::optional<os::EndWatch> end_watch;  // outlives what is taken down
  auto server = server::Server::start(options, tls, random, *logger);
  if (!server) return fail_with(server.error().message);
  auto monitoring = ops::Monitoring::start(apps::monitoring_options(config),
                                           apps::metrics_source(config, **server), *logger);
  if (!monitoring) return fail_with(monitoring.error().message);

  os::notify_ready("serving on " + (*server)->local_address().to_string());
  const auto ok = serve(**server, stop, files, *logger);
  os::notify_stopping();
  end_watch.emplace(stop, *logger);
  end_watch->begin("clients are told, and this host's network is put back");
  return ok ? 0 : fail_with(ok.error().message);
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto command_line = apps::parse_command_line(argc, argv, kProgram, exit_code);
  if (!command_line) return exit_code;
  auto stop = os::StopSignal::open(os::StopSignal::Hangup::kReread);
  if (!stop) return fail_with(stop.error().message);
  if (command_line->cleanup) return apps::clean_up(kName);

  const std::string& path = command_line->config_path;
  if (!os::file_exists(path) && !command_line->check_config) {
    os::SystemRandom random;
    const auto told = apps::make_first_config(path, random);
    if (!told) return fail_with(told.error().message);
    std::cout << *told << std::endl;
  }
  const auto loaded = ops::load_server_config(path);
  if (!loaded) return fail_with(loaded.error().message);
  for (const std::string& note : loaded->notes) apps::print_error(kName, note);
  auto tls = quic::TlsServerContext::from_files(loaded->config.tls_cert, loaded->config.tls_key);
  if (!tls) return fail_with(tls.error().message);
  if (command_line->check_config) {
    std::cout << path << " is valid\n";
    return 0;
  }
  return run(path, *loaded, *tls, *stop);
}
