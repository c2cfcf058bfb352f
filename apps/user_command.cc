#include "user_command.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "command_line.h"
#include "control/answer.h"
#include "control/call.h"
#include "control/user_api.h"
#include "control/user_text.h"
#include "control_sockets.h"
#include "ops/log.h"
#include "os/control_socket.h"
#include "os/file.h"
#include "os/system_random.h"
#include "server_files.h"
#include "server_users.h"
#include "users/text.h"

namespace qdt::apps {
namespace {

using Verb = UserCommand::Verb;
using Json = nlohmann::ordered_json;
using Chosen = std::optional<UserCommand>;

// --- the command line ---

CLI::App* add_command(CLI::App& parent, Chosen& chosen, Verb verb, const char* name,
                      const char* words) {
  CLI::App* const command = parent.add_subcommand(name, words);
  command->fallthrough();  // --config may stand behind it
  command->preparse_callback([&chosen, verb](std::size_t) {
    if (!chosen) chosen.emplace();
    chosen->verb = verb;
  });
  command->add_flag_callback(
      "--json", [&chosen] { chosen->as_json = true; }, "as a line of JSON, for scripts");
  command
      ->add_option_function<std::string>(
          "--tun", [&chosen](const std::string& tun) { chosen->tun_name = tun; },
          "of the server with this TUN device, where several run")
      ->type_name("NAME");
  return command;
}

void add_text(CLI::App* command, Chosen& chosen, std::string UserCommand::* member,
              const char* name, const char* words, bool is_required = true) {
  command
      ->add_option_function<std::string>(
          name, [&chosen, member](const std::string& text) { (*chosen).*member = text; }, words)
      ->required(is_required);
}

void add_setting(CLI::App* command, Chosen& chosen, const std::string& option,
                 const std::string& key, const char* type, const char* words) {
  command
      ->add_option_function<std::string>(
          option,
          [&chosen, key](const std::string& text) { chosen->settings.emplace_back(key, text); },
          words)
      ->type_name(type);
}

void add_settings(CLI::App* command, Chosen& chosen) {
  add_setting(
      command, chosen, "--expires", "expires", "TIME",
      "may come in until then: 2026-12-31 (00:00 UTC), 2026-12-31T18:00, or a time from now "
      "such as 24h or 30d; none: for ever");
  add_setting(command, chosen, "--max-devices", "max_devices", "N",
              "has so many devices at most (1 to 256); none: as many as there may be");
  add_setting(command, chosen, "--max-sessions", "max_sessions", "N",
              "has so many sessions at a time; none: any number");
}

void add_user(CLI::App& app, Chosen& chosen) {
  CLI::App* const user =
      app.add_subcommand("user", "people who may come in, added and removed while the server runs");
  user->require_subcommand(1);
  user->fallthrough();
  user->footer(
      "A user has devices, and each device a key of its own (qdt-server device --help). The token "
      "and devices of\nserver.yaml are the user \"default\", which is changed there alone.\n"
      "What is changed is in force within a second: who is removed, disabled or past its time "
      "goes, "
      "and is told why.\nWhere no server runs, the file beside the configuration is changed.\n\n"
      "  qdt-server user add ann --expires 30d\n"
      "  qdt-server device add ann phone --token\n"
      "  qdt-server user disable ann");
  const char* const kName = "the user's name: letters, digits, and . _ - @ between them";
  const auto with_name = [&](Verb verb, const char* name, const char* words) {
    CLI::App* const command = add_command(*user, chosen, verb, name, words);
    add_text(command, chosen, &UserCommand::user, "NAME", kName);
    return command;
  };
  add_settings(with_name(Verb::kAddUser, "add", "add a user, who then needs a device"), chosen);
  add_command(*user, chosen, Verb::kListUsers, "list", "show all users");
  with_name(Verb::kShowUser, "show", "show a user and its devices");
  add_settings(with_name(Verb::kSetUser, "set", "change what is given of a user"), chosen);
  with_name(Verb::kEnableUser, "enable", "let a disabled user in again");
  with_name(Verb::kDisableUser, "disable", "end a user's sessions and let it in no more");
  with_name(Verb::kRemoveUser, "remove", "end a user's sessions and forget it and its devices");
  add_command(*user, chosen, Verb::kShowLog, "log", "show who changed what, the latest first");
}

void add_device(CLI::App& app, Chosen& chosen) {
  CLI::App* const device = app.add_subcommand("device", "the devices of users, each with a key");
  device->require_subcommand(1);
  device->fallthrough();
  device->footer(
      "A device proves itself by one of three. A key, the best: the device makes it and keeps the "
      "private half\n(qdt-client key), and its public half is given here. A token: made here, "
      "shown once, for the token of its\nclient.yaml. A login: a name and a secret, made here, for "
      "other people's clients of CONNECT-IP.\n\n"
      "  qdt-server device add ann laptop --key ed25519:...\n"
      "  qdt-server device add ann phone --token\n"
      "  qdt-server device rotate ann phone");
  const auto with_names = [&](Verb verb, const char* name, const char* words) {
    CLI::App* const command = add_command(*device, chosen, verb, name, words);
    add_text(command, chosen, &UserCommand::user, "USER", "the user's name");
    add_text(command, chosen, &UserCommand::device, "DEVICE", "the device's name");
    return command;
  };
  CLI::App* const add = with_names(Verb::kAddDevice, "add", "add a device to a user");
  add_text(add, chosen, &UserCommand::key, "--key", "its public key, ed25519:...", false);
  add->add_flag_callback(
      "--token", [&chosen] { chosen->has_token = true; }, "make a token for it, and print it");
  add->add_flag_callback(
      "--login", [&chosen] { chosen->has_login = true; },
      "make a secret for it, and print it with the name that goes with it");
  add->add_flag_callback(
      "--psk", [&chosen] { chosen->has_psk = true; },
      "beside a key: make a PSK, a secret that is never sent, and print it for its client.yaml");
  CLI::App* const list = add_command(*device, chosen, Verb::kListDevices, "list", "show devices");
  add_text(list, chosen, &UserCommand::user, "USER", "of this user; without it, of all", false);
  with_names(Verb::kRemoveDevice, "remove", "end a device's sessions and let it in no more");
  CLI::App* const rotate = with_names(Verb::kRotateDevice, "rotate",
                                      "give a device another key, token or secret; sessions with "
                                      "the old one end");
  add_text(rotate, chosen, &UserCommand::key, "--key", "the new public key of one that has a key",
           false);
}

// --- what it does ---

/// The one who answers: a server, or this process on the file.
using Ask = std::function<Result<std::string>(const std::string& method, const std::string& path,
                                              const std::string& body)>;

// Null, and the exit code, where nobody can be asked.
Ask find_answerer(const std::string& program, const UserCommand& command,
                  const std::string& config_path, int& exit_code) {
  auto sockets = os::find_control_sockets(os::HostPlan::Role::kServer);
  const bool has_none = sockets.empty() && command.tun_name.empty();
  if (!has_none) {
    const auto found =
        find_sockets(program, os::HostPlan::Role::kServer,
                     {.verb = ControlCommand::Verb::kReload, .tun_name = command.tun_name});
    exit_code = found ? 0 : found.error();
    if (!found) return nullptr;
    return [path = found->front().path](const std::string& method, const std::string& target,
                                        const std::string& body) {
      return control::call(path, method, target, control::kPatience, body);
    };
  }
  if (!os::file_exists(config_path)) {
    print_error(program, "no server runs on this host, and there is no configuration " +
                             config_path + " beside which its users would be; --config names one");
    exit_code = kNoneRuns;
    return nullptr;
  }
  struct Local {
    std::unique_ptr<Logger> logger = ops::make_logger(LogLevel::kWarning, /*json=*/false);
    os::SystemRandom random;
    users::StoreFile file;
    control::UserApi api;
    explicit Local(const std::string& path)
        : file(user_file(path), random, unix_seconds, *logger), api(file, random, unix_seconds) {}
  };
  return [local = std::make_shared<Local>(config_path)](
             const std::string& method, const std::string& path,
             const std::string& body) -> Result<std::string> {
    const auto response = local->api.answer(
        {.method = method, .path = path, .body = body, .who = "a command while no server ran"});
    if (response.status != 200) {
      return std::unexpected(control::parse_refusal(response.status, response.body));
    }
    return response.body;
  };
}

std::string body_of(const UserCommand& command) {
  Json json = Json::object();
  switch (command.verb) {
    case Verb::kAddUser: json["name"] = command.user; [[fallthrough]];
    case Verb::kSetUser:
      for (const auto& [key, text] : command.settings) json[key] = text;
      break;
    case Verb::kEnableUser: json["enabled"] = true; break;
    case Verb::kDisableUser: json["enabled"] = false; break;
    case Verb::kAddDevice:
      json = {{"user", command.user}, {"name", command.device}};
      if (command.has_token) json["token"] = true;
      if (command.has_login) json["login"] = true;
      if (command.has_psk) json["psk"] = true;
      [[fallthrough]];
    case Verb::kRotateDevice:
      if (!command.key.empty()) json["key"] = command.key;
      break;
    default: return {};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The names stand in a request's path.
Result<void> check_names(const UserCommand& command) {
  if (!command.user.empty()) {
    if (auto ok = users::check_name("the user's name", command.user); !ok) return ok;
  }
  if (command.device.empty()) return {};
  return users::check_name("the device's name", command.device);
}

Result<std::string> ask_about_device(const Ask& ask, const UserCommand& command,
                                     const char* method) {
  const auto user = ask("GET", "/v1/users/" + command.user, "");
  if (!user) return fail(user);
  const auto id = control::device_id(*user, command.device);
  if (!id) return fail(id);
  return ask(method, "/v1/devices/" + *id, body_of(command));
}

Result<std::string> do_it(const Ask& ask, const UserCommand& command) {
  if (const auto ok = check_names(command); !ok) return fail(ok);
  const std::string user = "/v1/users/" + command.user;
  switch (command.verb) {
    case Verb::kAddUser: return ask("POST", "/v1/users", body_of(command));
    case Verb::kListUsers: return ask("GET", "/v1/users", "");
    case Verb::kShowUser: return ask("GET", user, "");
    case Verb::kSetUser:
    case Verb::kEnableUser:
    case Verb::kDisableUser: return ask("POST", user, body_of(command));
    case Verb::kRemoveUser: return ask("DELETE", user, "");
    case Verb::kShowLog: return ask("GET", "/v1/deeds", "");
    case Verb::kAddDevice: return ask("POST", "/v1/devices", body_of(command));
    case Verb::kListDevices: return ask("GET", command.user.empty() ? "/v1/users" : user, "");
    case Verb::kRemoveDevice: return ask_about_device(ask, command, "DELETE");
    case Verb::kRotateDevice: return ask_about_device(ask, command, "POST");
  }
  return fail("no such command");
}

Result<std::string> in_words(const UserCommand& command, const std::string& answer) {
  switch (command.verb) {
    case Verb::kAddUser:
      return "user " + command.user + " is added; it needs a device: qdt-server device add " +
             command.user + " DEVICE --key KEY (or --token)\n";
    case Verb::kListUsers: return control::describe_users(answer);
    case Verb::kShowUser: return control::describe_user(answer);
    case Verb::kSetUser: return "user " + command.user + " is changed\n";
    case Verb::kEnableUser: return "user " + command.user + " is enabled\n";
    case Verb::kDisableUser: return "user " + command.user + " is disabled\n";
    case Verb::kRemoveUser: return "user " + command.user + " is removed\n";
    case Verb::kShowLog: return control::describe_deeds(answer);
    case Verb::kListDevices: return control::describe_devices(answer);
    case Verb::kRemoveDevice:
      return "device " + command.device + " of " + command.user + " is removed\n";
    case Verb::kAddDevice: return control::describe_secrets(answer, control::DeviceChange::kAdded);
    case Verb::kRotateDevice:
      return control::describe_secrets(answer, control::DeviceChange::kRotated);
  }
  return answer;
}

}  // namespace

void add_user_commands(CLI::App& app, std::optional<UserCommand>& chosen) {
  add_user(app, chosen);
  add_device(app, chosen);
}

int run_user_command(const std::string& program, const UserCommand& command,
                     const std::string& config_path) {
  int exit_code = 1;
  const Ask ask = find_answerer(program, command, config_path, exit_code);
  if (!ask) return exit_code;
  const auto answer = do_it(ask, command);
  if (!answer) {
    print_error(program, answer.error().message);
    return 1;
  }
  const auto text = command.as_json ? *answer : in_words(command, *answer);
  if (!text) {
    print_error(program, text.error().message);
    return 1;
  }
  std::cout << *text << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace qdt::apps
