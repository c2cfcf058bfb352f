// qdt-client: carries this host's packets to a QDT server.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "client_check.h"
#include "client_control.h"
#include "client_options.h"
#include "command_line.h"
#include "finding.h"
#include "key_command.h"
#include "ops/config.h"
#include "ops/log.h"
#include "os/host_control.h"
#include "os/process.h"
#include "os/resolver.h"
#include "os/sandbox.h"
#include "os/service.h"
#include "os/system_random.h"
#include "profile_command.h"
#include "quic/key_log.h"
#include "quic/tls.h"
#include "service_command.h"
#include "tunnel/session.h"

namespace {

using namespace qdt;

constexpr const char* kName = "qdt-client";

const apps::Program kProgram = {
    .name = kName,
    .description =
        "The client of QDT, a VPN inside HTTP/3: this host's packets travel to a "
        "qdt-server as QUIC datagrams on UDP port 443.\n",
    .default_config = os::find_config("client.yaml"),
    .footer =
        "Exit status: 0 stopped by a signal, 1 configuration or this host, 2 refused by the "
        "server, 3 server not reached, 4 the process that looks after this host has ended (start "
        "again). Of status: 0 connected, 2 refused, 3 not connected now, 4 not running, 5 "
        "connected but degraded (this host's network is not as it has to be), 1 for "
        "want of an answer.\nEvery key is explained in "
        "client.example.yaml; qdt-server client-config prints a client.yaml that fits a server.",
    .has_status = true,
    .has_key = true,
    .has_profiles = true,
    .has_service = true};

const os::Service kService = {
    .name = "QDT",
    .title = "QDT VPN client",
    .description = "Carries this computer's packets to a QDT server, inside HTTP/3."};

int fail_with(const std::string& message) {
  apps::print_error(kName, message);
  return 1;
}

std::unique_ptr<ops::LevelLogger> make_logger(const ops::ClientConfig& config) {
  return ops::make_logger(config.log_level, config.log_json);
}

int run_on(os::HostControl& host, const os::ProcessUser& user,
           const client::Client::Options& options, const ops::ClientConfig& config,
           const quic::TlsClientContext& tls, os::StopSignal& stop) {
  const auto logger = make_logger(config);
  if (const auto warning = quic::open_key_log()) logger->warning(*warning);
  const bool is_trusting = tls.trust() == quic::TlsClientContext::Trust::kNone;
  if (is_trusting && options.connector.auth == Auth::kToken) {
    logger->warning(
        "insecure: true: the server's certificate is not checked; anyone on the way "
        "can read the token and everything else");
  }
  os::SystemRandom random;
  client::Client client(options, tls, random, host, *logger);
  if (const auto ok = client.open(stop); !ok) return fail_with(ok.error().message);
  const auto control = apps::open_client_control(host, client, config.tun_name, *logger);
  if (const auto ok = os::enter_sandbox({.user = user, .readable = os::resolver_files()}, *logger);
      !ok) {
    return fail_with(ok.error().message);
  }
  if (control) control->run();
  const client::Client::Outcome outcome = client.run(stop);
  os::notify_stopping();
  if (!outcome.text.empty()) apps::print_error(kName, outcome.text);
  return static_cast<int>(outcome.exit);
}

int run(const ops::ClientConfig& config, const quic::TlsClientContext& tls, os::StopSignal& stop) {
  const auto user = os::find_process_user(config.user);
  if (!user) return fail_with("user: " + user.error().message);
  const auto options = apps::client_options(config);
  if (!options) return fail_with("key_file: " + options.error().message);
  auto host = os::start_host_control(client::Client::host_plan(*options),
                                     [&] { return make_logger(config); });
  if (!host) return fail_with(host.error().message);
  const int exit_code = run_on(**host, *user, *options, config, tls, stop);
  const auto closed = (*host)->close();
  return closed || exit_code != 0 ? exit_code : fail_with(closed.error().message);
}

// All but the command line: as a program of its own, or as the service.
int work(const apps::CommandLine& command_line) {
  auto stop = os::StopSignal::open();
  if (!stop) return fail_with(stop.error().message);
  if (command_line.cleanup) return apps::clean_up(kName);
  const auto loaded = ops::load_client_config(command_line.config_path);
  if (!loaded) {
    return fail_with(loaded.error().message + apps::where_it_looked(command_line, kProgram));
  }
  for (const std::string& note : loaded->notes) apps::print_error(kName, "warning: " + note);
  const auto tls = apps::trust(loaded->config);
  if (!tls) return fail_with(tls.error().message);
  if (command_line.check_config) {
    const auto findings = apps::check_client(loaded->config);
    if (!apps::report(kName, command_line.config_path, *loaded, findings)) return 1;
    std::cout << command_line.config_path << " is valid\n";
    return 0;
  }
  return run(loaded->config, *tls, *stop);
}

}  // namespace

int main(int argc, char** argv) {
  os::hide_memory();
  os::settle_memory();
  int exit_code = 0;
  const auto command_line = apps::parse_command_line(argc, argv, kProgram, exit_code);
  if (!command_line) return exit_code;
  if (command_line->load_programs) return apps::load_programs(kName);
  if (command_line->key) return apps::make_key(kName, *command_line->key);
  if (command_line->profile) return apps::control_profiles(kName, *command_line->profile);
  if (command_line->control) return apps::control_client(kName, *command_line->control);
  if (!command_line->service) return work(*command_line);
  return apps::control_service(*command_line->service, kService, command_line->config_path,
                               [&] { return work(*command_line); });
}
