// qdt-load: many clients of a QDT server in one process, to see what it bears.

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>

#include <iostream>
#include <map>
#include <string>

#include "client_options.h"
#include "command_line.h"
#include "load/echo.h"
#include "load/run.h"
#include "ops/config.h"
#include "ops/log.h"
#include "os/process.h"
#include "os/resolver.h"
#include "os/sandbox.h"
#include "os/system_random.h"
#include "version.h"

namespace {

using namespace qdt;

constexpr const char* kName = "qdt-load";

// A server with much to do answers late; a lost first packet is sent again meanwhile.
constexpr Duration kHandshakeTimeout = 30s;

struct Arguments {
  std::string config_path = "client.yaml";
  std::size_t clients = 10;
  double rate = 100;
  double echoes = 1;
  std::size_t bytes = 100;
  double churn = 0;
  double roam = 0;
  std::string from;
  std::uint64_t milliseconds = 10'000;
  std::string name = "load";
  bool json = false;
  bool is_quiet = false;
};

int fail_with(const std::string& message) {
  apps::print_error(kName, message);
  return 1;
}

// False when the program is to exit with `exit_code`.
bool parse(int argc, char** argv, Arguments& arguments, int& exit_code) {
  CLI::App app(
      "Connects many clients to a QDT server from one process, without TUN devices, and has each "
      "send\nechoes (pings) through its tunnel to the server's own inner address. Prints how long "
      "handshakes and\nechoes took and what was lost. For your own servers only: it looks like an "
      "attack to others.",
      kName);
  app.set_version_flag("--version", std::string(kName) + " " + apps::kVersion);
  app.footer(
      "The server has to allow it: max_sessions, handshake_rate and handshake_ip_rate, "
      "max_sessions_per_client\n(of one address), and a pool_cidr that is large enough. With "
      "--from, "
      "each client has an outer address of\nits own; this host has to have them:\n"
      "  ip route add local 127.64.0.0/16 dev lo     (and on the server's side a way back)\n"
      "  qdt-load -c client.yaml --clients 10000 --rate 400 --from 127.64.0.0/16 --for 10m\n"
      "Exit status: 0 all clients were up at the end and no session was lost, 2 not so, 1 it could "
      "not begin.");
  app.add_option("-c,--config", arguments.config_path,
                 "a client's configuration: server, token, trust, data plane")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--clients", arguments.clients, "how many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--rate", arguments.rate, "new connections per second, at most")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  app.add_option("--echoes", arguments.echoes, "echoes per second of each client; 0: none")
      ->check(CLI::Range(0.0, 100'000.0))
      ->capture_default_str();
  app.add_option("--bytes", arguments.bytes, "size of an echo, each way, headers included")
      ->check(CLI::Range(load::kMinEchoBytes, std::size_t{1280}))
      ->capture_default_str();
  app.add_option("--churn", arguments.churn, "sessions per second that end and begin again")
      ->check(CLI::Range(0.0, 10'000.0))
      ->capture_default_str();
  app.add_option(
         "--roam", arguments.roam,
         "moves per second of a client to another address; --from has to have twice as many "
         "addresses as there are clients")
      ->check(CLI::Range(0.0, 10'000.0))
      ->capture_default_str();
  app.add_option("--from", arguments.from,
                 "the clients' outer addresses (IPv4), by turns; without it, all have this host's")
      ->type_name("PREFIX");
  const std::map<std::string, std::uint64_t> units = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  app.add_option("--for", arguments.milliseconds, "how long all stay, once they are up [10s]")
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"));
  app.add_option("--name", arguments.name, "client_id of client i is NAME-i")
      ->capture_default_str();
  app.add_flag("--json", arguments.json, "print the result as JSON");
  app.add_flag("-q,--quiet", arguments.is_quiet, "no line each second on standard error");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error, std::cout, std::cerr) == 0 ? 0 : 1;
    return false;
  }
  return true;
}

// The clients' addresses, without the first and the last of a prefix, which may not be usable.
Result<void> set_addresses(const Arguments& arguments, load::Load::Options& options) {
  options.first_local = {IpAddress::v4(0), 0};
  options.addresses = 1;
  if (!arguments.from.empty()) {
    const auto prefix = Prefix::parse(arguments.from);
    if (!prefix || !prefix->address().is_v4()) {
      return fail("--from: '" + arguments.from + "' is no IPv4 prefix, such as 127.64.0.0/16");
    }
    const std::uint64_t all = 1ULL << (32 - prefix->length());
    const std::uint64_t left_out = all > 2 ? 1 : 0;
    options.first_local.address =
        IpAddress::v4(prefix->address().v4_number() + static_cast<std::uint32_t>(left_out));
    options.addresses = static_cast<std::size_t>(all - 2 * left_out);
  }
  const bool has_second = options.addresses >= 2 * options.clients;
  if (arguments.roam > 0 && !has_second) {
    return fail("--roam: " + std::to_string(options.clients) + " clients that move need " +
                std::to_string(2 * options.clients) + " addresses; --from has " +
                std::to_string(options.addresses));
  }
  return {};
}

Result<SocketAddress> resolve(const ops::ClientConfig& config) {
  const auto addresses = os::resolve(config.server_host, config.server_port);
  if (!addresses) return fail(addresses);
  const auto found = std::ranges::find_if(
      *addresses, [](const SocketAddress& one) { return one.address.is_v4(); });
  if (found == addresses->end()) {
    return fail(config.server_host + " has no IPv4 address, which " + kName + " needs");
  }
  return *found;
}

void print_progress(const load::Report& report) {
  std::cerr << fmt::format(
      "{} of {} up, {} lost, {} failed; echoes: {} sent, {} answered, p99 {:.1f} ms\n", report.up,
      report.clients, report.lost, report.refused, report.echoes_sent, report.echoes_answered,
      std::chrono::duration<double, std::milli>(report.echo_times.percentile(0.99)).count());
}

int run(const Arguments& arguments, os::StopSignal& stop) {
  const auto loaded = ops::load_client_config(arguments.config_path);
  if (!loaded) return fail_with(loaded.error().message);
  const ops::ClientConfig& config = loaded->config;
  const auto tls = apps::trust(config);
  if (!tls) return fail_with(tls.error().message);
  const auto server = resolve(config);
  if (!server) return fail_with(server.error().message);

  const auto client = apps::client_options(config);
  if (!client) return fail_with("key_file: " + client.error().message);
  load::RunOptions options{.load = {.clients = arguments.clients,
                                    .connects_per_second = arguments.rate,
                                    .echoes_per_second = arguments.echoes,
                                    .echo_bytes = arguments.bytes,
                                    .churn_per_second = arguments.churn,
                                    .roams_per_second = arguments.roam,
                                    .server = *server,
                                    .name = arguments.name,
                                    .connector = client->connector},
                           .connection = {.handshake_timeout = kHandshakeTimeout,
                                          .keep_alive = config.keepalive,
                                          .congestion = config.congestion},
                           .udp_offloads = client->udp_offloads,
                           .time = std::chrono::milliseconds(arguments.milliseconds)};
  if (const auto ok = set_addresses(arguments, options.load); !ok) {
    return fail_with(ok.error().message);
  }

  const auto logger = ops::make_logger(config.log_level, config.log_json);
  os::SystemRandom random;
  const auto report = load::run(options, *tls, random, stop, *logger,
                                arguments.is_quiet ? nullptr : print_progress);
  if (!report) return fail_with(report.error().message);
  std::cout << (arguments.json ? load::to_json(*report) : load::to_text(*report));
  return report->up == report->clients && report->lost == 0 ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  os::hide_memory();  // it has the token
  os::open_standard_streams();
  auto stop = os::StopSignal::open();
  if (!stop) return fail_with(stop.error().message);
  Arguments arguments;
  int exit_code = 0;
  if (!parse(argc, argv, arguments, exit_code)) return exit_code;
  return run(arguments, *stop);
}
