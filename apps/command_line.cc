#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include "ops/config_reload.h"
#include "ops/log.h"
#include "os/control_socket.h"
#include "os/file.h"
#include "os/host_network.h"
#include "os/process.h"
#include "os/service.h"
#include "os/standard_error.h"
#include "os/tun_programs.h"
#include "version.h"

namespace qdt::apps {
namespace {

// Go's flag package takes one dash or two; users of a Go QDT have `-config` in their scripts.
std::vector<std::string> with_two_dashes(int argc, char** argv) {
  std::vector<std::string> arguments = os::program_arguments(argc, argv);
  for (std::string& argument : arguments) {
    const bool is_long = argument.size() > 2 && argument[0] == '-' && argument[1] != '-';
    if (is_long) argument.insert(0, "-");
  }
  return arguments;
}

// Other users see the words of a program's command line, and a link is a secret.
void hide_links(int argc, char** argv) {
  for (char* argument : std::span(argv, static_cast<std::size_t>(argc))) {
    const std::string_view text = argument;
    if (text.starts_with("qdt:")) std::fill_n(argument, text.size(), '.');
  }
}

// `service install` and so on.
void add_service(CLI::App& app, std::optional<ServiceCommand>& chosen) {
  CLI::App* const service = app.add_subcommand("service", "run as a service of Windows");
  service->require_subcommand(1);
  service->fallthrough();  // --config may stand behind it
  for (const auto& [command, name, words] : kServiceCommands) {
    service->add_subcommand(name, words)->fallthrough()->callback([&chosen, command = command] {
      chosen = command;
    });
  }
}

// A step of a service before its start (deploy/systemd); the help does not show it.
void add_load_programs(CLI::App& app, CommandLine& command_line) {
  CLI::App* const command =
      app.add_subcommand("load-programs", "load the kernel's programs for the service manager");
  command->group("");
  command->callback([&command_line] { command_line.load_programs = true; });
}

void add_client_config(CLI::App& app, CommandLine& command_line) {
  CLI::App* const command = app.add_subcommand(
      "client-config", "print a client.yaml for this server, with the token in it, and exit");
  command->fallthrough();  // --config may stand behind it
  command->callback([&command_line] { command_line.client_config = true; });
  command
      ->add_option("--address", command_line.address,
                   "the name or address by which clients reach this server; the default is this "
                   "host's public address, if it has one")
      ->type_name("HOST[:PORT]");
}

void add_key(CLI::App& app, CommandLine& command_line) {
  CLI::App* const command = app.add_subcommand(
      "key", "make a key for this device, and print the lines for both configurations");
  command->preparse_callback([&command_line](std::size_t) { command_line.key.emplace(); });
  command
      ->add_option_function<std::string>(
          "--file", [&command_line](const std::string& file) { command_line.key->file = file; },
          "write the private key to this new file instead of printing it")
      ->type_name("FILE");
  command->add_flag_callback(
      "--psk", [&command_line] { command_line.key->has_psk = true; },
      "with a secret that is never sent, for packets that are to be safe from a later break of "
      "TLS's key exchange");
}

CLI::App* add_profile(CLI::App& app, CommandLine& command_line, ProfileCommand::Verb verb,
                      const char* name, const std::string& words) {
  CLI::App* const command = app.add_subcommand(name, words);
  command->preparse_callback([&command_line, verb](std::size_t) {
    command_line.profile.emplace();
    command_line.profile->verb = verb;
    command_line.profile->folder = os::config_folder();
  });
  command
      ->add_option_function<std::string>(
          "--dir",
          [&command_line](const std::string& folder) { command_line.profile->folder = folder; },
          "where the connections are; the default is " + os::config_folder())
      ->type_name("FOLDER");
  return command;
}

void add_named_profile(CLI::App& app, CommandLine& command_line, ProfileCommand::Verb verb,
                       const char* name, const std::string& words) {
  add_profile(app, command_line, verb, name, words)
      ->add_option_function<std::string>(
          "NAME", [&command_line](const std::string& text) { command_line.profile->name = text; },
          "as list shows it")
      ->required();
}

void add_profiles(CLI::App& app, CommandLine& command_line) {
  using Verb = ProfileCommand::Verb;
  CLI::App* const add =
      add_profile(app, command_line, Verb::kAdd, "add",
                  "take a link of qdt-server invite: make this device's key, have "
                  "the server write it down, and write its configuration here");
  add->add_option_function<std::string>(
         "LINK", [&command_line](const std::string& link) { command_line.profile->link = link; },
         "qdt://..., in quotes; or - to read it from standard input, where no other program sees "
         "it")
      ->required();
  add->add_option_function<std::string>(
         "--name", [&command_line](const std::string& name) { command_line.profile->name = name; },
         "what to call the connection here; the default is the name in the link")
      ->type_name("NAME");
  add_profile(app, command_line, Verb::kList, "list", "print the connections that there are")
      ->add_flag_callback(
          "--json", [&command_line] { command_line.profile->as_json = true; }, "as a line of JSON");
  add_named_profile(app, command_line, Verb::kUp, "up",
                    "connect, now and whenever this host starts (qdt-client@NAME.service)");
  add_named_profile(app, command_line, Verb::kDown, "down",
                    "disconnect, and stay so when this host starts");
  add_named_profile(app, command_line, Verb::kRemove, "remove",
                    "delete the connection's configuration, and this device's key with it");
}

using Verb = ControlCommand::Verb;

CLI::App* add_control(CLI::App& app, CommandLine& command_line, Verb verb, const char* name,
                      const char* words) {
  CLI::App* const command = app.add_subcommand(name, words);
  command->preparse_callback([&command_line, verb](std::size_t) {
    command_line.control.emplace();
    command_line.control->verb = verb;
  });
  command
      ->add_option_function<std::string>(
          "--tun",
          [&command_line](const std::string& tun) { command_line.control->tun_name = tun; },
          "of the one with this TUN device, where several run")
      ->type_name("NAME");
  return command;
}

void add_status(CLI::App& app, CommandLine& command_line, const char* words) {
  CLI::App* const status = add_control(app, command_line, Verb::kStatus, "status", words);
  status->add_flag_callback(
      "--json", [&command_line] { command_line.control->as_json = true; }, "as a line of JSON");
  if (!os::has_control_sockets()) return;
  status->add_flag_callback(
      "--watch", [&command_line] { command_line.control->watches = true; },
      "again every second, until it is interrupted");
}

// `--status` and `--status --json` are older words for `status`.
void add_client_control(CLI::App& app, CommandLine& command_line) {
  add_status(app, command_line, "print how the running client is, and exit");
  const auto status = [&command_line] {
    if (!command_line.control) command_line.control.emplace();
  };
  CLI::Option* const flag =
      app.add_flag_callback("--status", status, "the same as status, in older scripts");
  app.add_flag_callback(
         "--json",
         [&command_line, status] {
           status();
           command_line.control->as_json = true;
         },
         "for --status")
      ->needs(flag);
  if (!os::has_control_sockets()) return;
  add_control(app, command_line, Verb::kReconnect, "reconnect",
              "have the running client connect anew");
  add_control(app, command_line, Verb::kStop, "stop",
              "end the running client, which puts this host back");
}

void add_server_control(CLI::App& app, CommandLine& command_line) {
  add_status(app, command_line, "print how the running server and its sessions are, and exit");
  add_control(app, command_line, Verb::kKick, "kick",
              "end a session of the running server; its client may come again")
      ->add_option_function<std::string>(
          "SESSION",
          [&command_line](const std::string& target) { command_line.control->target = target; },
          "the session's number, or the client's name, user or inner address")
      ->required();
  add_control(app, command_line, Verb::kReload, "reload",
              "have the running server read its files again, as SIGHUP does")
      ->footer(
          "In force at once, for sessions that begin from then on: " + ops::keys_taken_at_once() +
          ".\nrate_limit counts for sessions that are there, too. All others need a restart, "
          "and are named.\nA file that is not sound changes nothing; the answer says where "
          "it is at fault (exit status 1).");
}

}  // namespace

std::optional<CommandLine> parse_command_line(int argc, char** argv, const Program& program,
                                              int& exit_code) {
  os::open_standard_streams();
  CommandLine command_line{.config_path = program.default_config};
  CLI::App app(program.description, program.name);
  app.footer(program.footer);
  app.set_version_flag("--version", program.name + " " + kVersion, "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  app.add_option("-c,--config", command_line.config_path,
                 "the configuration file; without it, one that is found in " + os::config_places())
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--check-config", command_line.check_config,
               "check the configuration, change nothing, and exit: 0 when it is good, else 1");
  app.add_flag("--cleanup", command_line.cleanup,
               "undo what a crashed " + program.name +
                   " left behind on this host (routes, rules, DNS, firewall), and exit");

  if (program.has_status) add_client_control(app, command_line);
  if (program.has_key) add_key(app, command_line);
  if (program.has_profiles) add_profiles(app, command_line);
  if (program.has_client_config) add_client_config(app, command_line);
  if (program.has_sessions) add_server_control(app, command_line);
  if (program.add_user_commands) program.add_user_commands(app, command_line.user);
  if (os::has_tun_programs()) add_load_programs(app, command_line);
  if (program.has_service && os::has_services()) add_service(app, command_line.service);

  std::vector<std::string> arguments = with_two_dashes(argc, argv);
  hide_links(argc, argv);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error, std::cout, std::cerr);
    exit_code = status == 0 ? 0 : 1;
    return std::nullopt;
  }
  return command_line;
}

std::string where_it_looked(const CommandLine& command_line, const Program& program) {
  const std::string& path = command_line.config_path;
  if (path != program.default_config || os::file_exists(path)) return {};
  return "; looked in " + os::config_places() + ": --config names another file";
}

void print_error(const std::string& program, const std::string& message) {
  os::StandardError error;
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    error.write(std::string(program).append(": ").append(line).append("\n"));
  }
}

int load_programs(const std::string& program) {
  const auto ok = os::hand_over_tun_programs();
  if (!ok) print_error(program, ok.error().message);
  return ok ? 0 : 1;
}

int clean_up(const std::string& program) {
  const auto logger = ops::make_logger(LogLevel::kWarning, /*json=*/false);
  const auto undone = os::clean_up_host_network("", *logger);
  if (!undone) {
    print_error(program, undone.error().message);
    return 1;
  }
  if (undone->empty()) std::cout << "nothing was left behind\n";
  for (const std::string& line : *undone) std::cout << line << '\n';
  return 0;
}

}  // namespace qdt::apps
