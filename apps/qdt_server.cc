// qdt-server: routes many clients' packets between a TUN device and QUIC connections.

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "client_config.h"
#include "command_line.h"
#include "control/answer.h"
#include "control/server_api.h"
#include "decoy_site.h"
#include "finding.h"
#include "first_start.h"
#include "ops/config.h"
#include "ops/http_server.h"
#include "ops/log.h"
#include "ops/monitoring.h"
#include "os/clock.h"
#include "os/end_watch.h"
#include "os/file.h"
#include "os/host_control.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/service.h"
#include "os/side_process.h"
#include "os/stream_socket.h"
#include "os/system_random.h"
#include "quic/certificate.h"
#include "quic/key_log.h"
#include "quic/tls.h"
#include "server/certificate_file.h"
#include "server/certificate_watch.h"
#include "server/identity_file.h"
#include "server/secret_file.h"
#include "server/server.h"
#include "server_check.h"
#include "server_control.h"
#include "server_files.h"
#include "server_options.h"
#include "server_users.h"
#include "state_path.h"
#include "wire/key_text.h"

namespace {

using namespace qdt;

constexpr const char* kName = "qdt-server";

const apps::Program kProgram = {
    .name = kName,
    .description =
        "The server of QDT, a VPN inside HTTP/3: clients' packets travel as QUIC "
        "datagrams on UDP port 443.\n",
    .default_config = os::find_config("server.yaml"),
    .footer =
        "Without a configuration file the first start writes one, makes a certificate, and says "
        "how to print a client.yaml that fits (qdt-server client-config).\nEvery key is explained "
        "in server.example.yaml.",
    .has_client_config = true,
    .has_sessions = true,
    .add_user_commands = apps::add_user_commands};

enum PollKey { kStopKey, kHostKey, kControlKey, kErrandKey, kUsersKey };

int fail_with(const std::string& message) {
  apps::print_error(kName, message);
  return 1;
}

// Serves until the process is asked to stop, and looks after the host meanwhile. An error when the
// host process has ended, without which nobody can do that.
Result<void> serve(server::Server& server, os::HostControl& host, os::StopSignal& stop,
                   apps::ServerFiles& files, apps::ServerUsers& users, apps::Errands& errands,
                   Logger& logger) {
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  if (auto ok = poller->add(stop.poll_handle(), kStopKey); !ok) return ok;
  if (auto ok = poller->add(errands.poll_handle(), kErrandKey); !ok) return ok;
  if (auto ok = poller->add(users.poll_handle(), kUsersKey); !ok) return ok;
  if (const auto handle = host.poll_handle()) {
    if (auto ok = poller->add(*handle, kControlKey); !ok) return ok;
  }
  std::optional<os::PollHandle> notices;
  for (;;) {
    if (!notices && (notices = server.host_notices())) {
      if (auto ok = poller->add(*notices, kHostKey); !ok) return ok;
    }
    const Timestamp now = os::now();
    const Timestamp due = std::min({now + 1s, server.next_check(), users.next_look()});
    for (const os::PollEvent& event : poller->wait(due, now)) {
      if (event.key == kControlKey) {
        if (const auto why = host.has_ended()) return fail(*why);
      }
      if (event.key == kErrandKey) {
        errands.run([&] { return files.read_again(server, "control", stop.end_handle()); });
      }
      if (event.key != kHostKey) continue;
      server.on_host_notice(os::now());
      poller->remove(*std::exchange(notices, std::nullopt));
    }
    while (const auto request = stop.take()) {
      if (request->kind == os::ProcessRequest::Kind::kReread) {
        [[maybe_unused]] const auto told =
            files.read_again(server, request->name, stop.end_handle());
        continue;
      }
      logger.info(request->name + ": stopping");
      return {};
    }
    users.look(server);  // these first: a look at the host may take its time
    server.save_leases();
    server.check_host(os::now());
    files.follow_certificate(server, os::now(), stop.end_handle());
    files.watch_certificate();
    server.tell_failures();
  }
}

// Null where it cannot be had: the server serves its clients all the same.
std::unique_ptr<ops::HttpServer> open_control(os::HostControl& host,
                                              control::ServerControl functions,
                                              ops::HttpCounters& counters, Logger& logger) {
  const auto socket = host.open_control_socket();
  auto control = socket ? ops::HttpServer::serve(os::StreamListener::adopt(*socket),
                                                 control::server_routes(std::move(functions)),
                                                 control::manners(), counters, logger)
                        : fail(socket);
  if (control) return std::move(*control);
  logger.warning("no control socket (qdt-server status, kick, reload): " + control.error().message);
  return nullptr;
}

int run_on(os::HostControl& host, const os::ProcessUser& user, server::Server::Options options,
           os::SideProcess& user_keeper, const std::string& config_path,
           const ops::Loaded<ops::ServerConfig>& loaded, quic::TlsServerContext& tls,
           std::uint64_t certificate_stamp, os::StopSignal& stop) {
  const ops::ServerConfig& config = loaded.config;
  const auto logger = ops::make_logger(config.log_level, config.log_json);
  os::SystemRandom random;
  if (const auto warning = quic::open_key_log()) logger->warning(*warning);
  logger->info("certificate: " + quic::fingerprint_text(tls.fingerprint()));
  const auto telling = server::describe_telling_name(config.tls_cert, tls.certificate());
  if (telling) logger->warning(*telling);

  options.tunnel.endpoint.secret = server::load_or_make_secret(
      apps::state_path(config_path, ".secret"), random, *logger, config.user);
  auto decoy = apps::make_decoy(config.decoy);
  if (!decoy) return fail_with(loaded.at(config_path, "decoy", "", decoy.error().message));
  for (const std::string& note : decoy->notes) logger->warning("decoy: " + note);
  options.reception.decoy = decoy->decoy;
  if (config.auth != Auth::kToken) {
    const auto identity = server::load_or_make_identity(apps::identity_path(config_path), random,
                                                        *logger, config.user);
    if (!identity) return fail_with(identity.error().message);
    options.reception.version2 = apps::version2_options(config, *identity);
    logger->info("server key, for devices with keys: " +
                 wire::public_key_text(options.reception.version2->identity_key));
  }
  tls.offer_resumption(options.tunnel.endpoint.secret);
  const auto users = apps::ServerUsers::open(user_keeper, options.admission, random, *logger);
  if (!users) return fail_with(users.error().message);
  options.reception.enroller = (*users)->enroller();
  apps::ServerFiles files(config_path, loaded, tls, certificate_stamp,
                          options.tunnel.endpoint.secret, host, **users, *logger);
  files.watch_certificate();
  std::optional<os::EndWatch> end_watch;  // outlives what is taken down
  auto server = server::Server::open(options, tls, random, host, *logger);
  if (!server) return fail_with(server.error().message);
  ops::HttpCounters control_counters;
  auto source = apps::metrics_source(config, **server, files.certificate_expiry());
  source.control = &control_counters;
  source.users = [&users = **users, most = config.metrics_users] { return users.bytes(most); };
  auto monitoring =
      ops::Monitoring::open(apps::monitoring_options(config), std::move(source), *logger);
  if (!monitoring) return fail_with(monitoring.error().message);
  const auto errands = apps::Errands::open();
  if (!errands) return fail_with(errands.error().message);
  const auto control = open_control(
      host, apps::server_control(config, **server, files.certificate_expiry(), **users, **errands),
      control_counters, *logger);
  if (auto ok = os::enter_sandbox(apps::sandbox_options(config, user), *logger); !ok) {
    return fail_with(ok.error().message);
  }
  (*users)->load(**server);
  (*server)->run();
  (*users)->run();
  (*monitoring)->run();
  if (control) control->run();

  os::notify_ready("serving on " + (*server)->local_address().to_string());
  const auto ok = serve(**server, host, stop, files, **users, **errands, *logger);
  (*errands)->close();
  (*users)->close();
  os::notify_stopping();
  end_watch.emplace(stop, *logger);
  end_watch->begin("clients are told, and this host's network is put back");
  return ok ? 0 : fail_with(ok.error().message);
}

int run(const std::string& config_path, const ops::Loaded<ops::ServerConfig>& loaded,
        quic::TlsServerContext& tls, std::uint64_t certificate_stamp, os::StopSignal& stop) {
  const auto user = os::find_process_user(loaded.config.user);
  if (!user) return fail_with("user: " + user.error().message);
  server::Server::Options options = apps::server_options(loaded.config);
  options.lease_path = apps::state_path(config_path, ".leases");
  options.is_confined = true;
  apps::ServerFileReader reader(config_path, loaded.config);
  os::HostPlan plan = server::Server::host_plan(options);
  plan.files = &reader;
  auto user_keeper = apps::start_user_keeper(config_path, loaded.config);
  if (!user_keeper) return fail_with(user_keeper.error().message);
  auto host = os::start_host_control(std::move(plan), [&] { return reader.make_logger(); });
  if (!host) return fail_with(host.error().message);
  const int exit_code = run_on(**host, *user, options, **user_keeper, config_path, loaded, tls,
                               certificate_stamp, stop);
  const auto closed = (*host)->close();
  return closed || exit_code != 0 ? exit_code : fail_with(closed.error().message);
}

int check(const std::string& path, const ops::Loaded<ops::ServerConfig>& loaded) {
  const auto findings = apps::check_server(path, loaded.config, apps::unix_seconds());
  if (!apps::report(kName, path, loaded, findings)) return 1;
  std::cout << path << " is valid\n";
  return 0;
}

// Nothing but the configuration goes to standard output.
int print_client_config(const ops::ServerConfig& config, const std::string& address) {
  const auto text = apps::client_config(config, address);
  if (!text) return fail_with(text.error().message);
  std::cout << *text << std::flush;
  return std::cout ? 0 : fail_with("write to standard output: it takes no more");
}

}  // namespace

int main(int argc, char** argv) {
  os::hide_memory();
  os::settle_memory();
  int exit_code = 0;
  const auto command_line = apps::parse_command_line(argc, argv, kProgram, exit_code);
  if (!command_line) return exit_code;
  if (command_line->load_programs) return apps::load_programs(kName);
  if (command_line->control) return apps::control_server(kName, *command_line->control);
  if (command_line->user) {
    return apps::run_user_command(kName, *command_line->user, command_line->config_path);
  }
  auto stop = os::StopSignal::open(os::StopSignal::Hangup::kReread);
  if (!stop) return fail_with(stop.error().message);
  if (command_line->cleanup) return apps::clean_up(kName);

  const std::string& path = command_line->config_path;
  const bool is_start = !command_line->check_config && !command_line->client_config;
  if (is_start && !os::file_exists(path)) {
    os::SystemRandom random;
    const auto told = apps::make_first_config(path, random);
    if (!told) return fail_with(told.error().message);
    std::cout << *told << std::endl;
  }
  const auto loaded = ops::load_server_config(path);
  if (!loaded) {
    return fail_with(loaded.error().message + apps::where_it_looked(*command_line, kProgram));
  }
  for (const std::string& note : loaded->notes) apps::print_error(kName, "warning: " + note);
  if (command_line->check_config) return check(path, *loaded);
  if (command_line->client_config) {
    return print_client_config(loaded->config, command_line->address);
  }
  if (apps::lacks_own_certificate(path, loaded->config)) {
    const auto told = apps::make_own_certificate(loaded->config);
    if (!told) return fail_with(told.error().message);
    apps::print_error(kName, *told);
  }
  const std::uint64_t certificate_stamp = apps::stamp_of_certificate(loaded->config);
  auto tls = server::load_certificate(loaded->config.tls_cert, loaded->config.tls_key,
                                      loaded->config.user);
  if (!tls) return fail_with(tls.error().message);
  return run(path, *loaded, *tls, certificate_stamp, *stop);
}
