#include "user_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "command_line.h"
#include "control/user_text.h"
#include "invite_command.h"
#include "user_answerer.h"
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

// Of a user, or of each user of a group.
void add_limits(CLI::App* command, Chosen& chosen) {
  add_setting(command, chosen, "--up", "up", "RATE",
              "sends no faster than this, all its devices together: bits a second such as 500kbit, "
              "20mbit or 1.5gbit; none: as fast as it can");
  add_setting(command, chosen, "--down", "down", "RATE", "receives no faster, likewise");
  add_setting(command, chosen, "--max-devices", "max_devices", "N",
              "has so many devices at most (1 to 256); none: as many as there may be");
  add_setting(command, chosen, "--max-sessions", "max_sessions", "N",
              "has so many sessions at a time; none: any number");
  add_setting(command, chosen, "--quota", "quota", "BYTES",
              "may use so much in a month, both directions together: 100GB, 500GiB; then its "
              "sessions end, and it comes in again on the reset day; none: any amount");
  add_setting(command, chosen, "--quota-reset-day", "quota_reset_day", "DAY",
              "the quota begins anew at 00:00 UTC on this day of the month, 1 to 28; 1 without it");
  add_setting(
      command, chosen, "--quota-action", "quota_action", "WHAT",
      "what happens once it is used up: block, or a rate each way until the reset day, such as "
      "1mbit");
}

void add_settings(CLI::App* command, Chosen& chosen) {
  add_setting(
      command, chosen, "--expires", "expires", "TIME",
      "may come in until then: 2026-12-31 (00:00 UTC), 2026-12-31T18:00, or a time from now "
      "such as 24h or 30d; none: for ever");
  add_setting(command, chosen, "--group", "group", "NAME",
              "is in this group, whose limits it has where it has none of its own; none: in none");
  add_limits(command, chosen);
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
      "  qdt-server user set ann --up 10mbit --down 50mbit\n"
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

void add_group(CLI::App& app, Chosen& chosen) {
  CLI::App* const group =
      app.add_subcommand("group", "groups of users, each with limits that its users have");
  group->require_subcommand(1);
  group->fallthrough();
  group->footer(
      "A limit of a group holds for each user in it (a quota of 100GB is 100 GB for each), unless "
      "the user has one\nof its own. What is changed is in force within a second, also for "
      "sessions that run.\n\n"
      "  qdt-server group add staff --max-devices 3 --quota 100GB\n"
      "  qdt-server user set ann --group staff\n"
      "  qdt-server group set staff --quota none");
  const auto with_name = [&](Verb verb, const char* name, const char* words) {
    CLI::App* const command = add_command(*group, chosen, verb, name, words);
    add_text(command, chosen, &UserCommand::group, "NAME",
             "the group's name: letters, digits, and . _ - @ between them");
    return command;
  };
  add_limits(with_name(Verb::kAddGroup, "add", "add a group, which has no users yet"), chosen);
  add_command(*group, chosen, Verb::kListGroups, "list", "show all groups");
  with_name(Verb::kShowGroup, "show", "show a group and its users");
  add_limits(with_name(Verb::kSetGroup, "set", "change what is given of a group"), chosen);
  with_name(Verb::kRemoveGroup, "remove", "forget a group that has no users");
}

void add_invite(CLI::App& app, Chosen& chosen) {
  CLI::App* const invite = add_command(app, chosen, Verb::kInvite, "invite",
                                       "print a link by which a person's device comes in");
  invite->footer(
      "The user is added where there is none of that name. The link lets one device in, once: "
      "qdt-client add LINK\nthere makes the device's key, which stays there. Standard output has "
      "the link on a line of its own, the last.\n\n"
      "  qdt-server invite ann\n"
      "  qdt-server invite ann --address vpn.example.org --expires 7d --qr");
  add_text(invite, chosen, &UserCommand::user, "NAME",
           "the user's name: letters, digits, and . _ - @ between them");
  add_text(invite, chosen, &UserCommand::address, "--address",
           "the name or address, and the port if it is not the configuration's, by which clients "
           "reach this server; the default is this host's public address, if it has one",
           false);
  add_setting(invite, chosen, "--expires", "expires", "TIME",
              "how long the link is good, such as 1h or 7d; 24h without it");
  invite->add_flag_callback("--qr", [&chosen] { chosen->shows_qr = true; }, "as a QR code, too");
  add_text(invite, chosen, &UserCommand::png, "--png", "write the QR code to this new file", false);
  add_text(invite, chosen, &UserCommand::svg, "--svg", "likewise, as SVG", false);
  add_text(invite, chosen, &UserCommand::device, "--static",
           "make the device of this name here, and put its key into the link: for a device that "
           "cannot reach the server yet. Whoever sees such a link has the key",
           false);
  invite->add_flag_callback("--once", [] {}, "the link lets one device in (it never lets in more)");
  invite->add_flag_callback(
      "--cancel", [&chosen] { chosen->verb = Verb::kCancelInvitations; },
      "make no link: the user's links that were not used let nobody in any more");
}

void add_usage(CLI::App& app, Chosen& chosen) {
  CLI::App* const usage =
      add_command(app, chosen, Verb::kShowUsage, "usage", "show what users have used in a month");
  usage->footer(
      "Bytes of the packets inside the tunnel, from clients (up) and to them (down), in a month of "
      "UTC. At a running\nserver they are of this second; the file has them after 10 s at the "
      "latest.\n\n"
      "  qdt-server usage\n"
      "  qdt-server usage ann --month 2026-11");
  add_text(usage, chosen, &UserCommand::user, "NAME", "of this user, with its devices", false);
  add_text(usage, chosen, &UserCommand::month, "--month", "of this month, such as 2026-11", false);
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
      "  qdt-server device set ann laptop --address 10.8.0.50\n"
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
  const char* const kAddress =
      "it always has this inner address, IPv4, or IPv6 of the same number, and nobody else does; "
      "none: any of the pool";
  add_text(add, chosen, &UserCommand::device_address, "--address", kAddress, false);
  CLI::App* const set = with_names(Verb::kSetDevice, "set", "change what is given of a device");
  add_text(set, chosen, &UserCommand::device_address, "--address", kAddress, true);
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

std::string body_of(const UserCommand& command) {
  Json json = Json::object();
  switch (command.verb) {
    case Verb::kAddUser:
    case Verb::kAddGroup:
      json["name"] = command.verb == Verb::kAddUser ? command.user : command.group;
      [[fallthrough]];
    case Verb::kSetUser:
    case Verb::kSetGroup:
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
    case Verb::kSetDevice:
      if (!command.device_address.empty()) json["address"] = command.device_address;
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
  if (!command.group.empty()) {
    if (auto ok = users::check_name("the group's name", command.group); !ok) return ok;
  }
  if (!command.month.empty()) {
    if (const auto month = users::parse_month("--month", command.month); !month) return fail(month);
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

Result<std::string> ask_for_usage(const Ask& ask, const UserCommand& command) {
  const std::string path = "/v1/usage";
  auto usage = ask("GET", command.month.empty() ? path : path + "/" + command.month, "");
  const bool is_of_one = usage && command.as_json && !command.user.empty();
  return is_of_one ? control::usage_of(*usage, command.user) : usage;
}

Result<std::string> do_it(const Ask& ask, const UserCommand& command) {
  const std::string user = "/v1/users/" + command.user;
  const std::string group = "/v1/groups/" + command.group;
  switch (command.verb) {
    case Verb::kAddUser: return ask("POST", "/v1/users", body_of(command));
    case Verb::kListUsers: return ask("GET", "/v1/users", "");
    case Verb::kShowUser: return ask("GET", user, "");
    case Verb::kSetUser:
    case Verb::kEnableUser:
    case Verb::kDisableUser: return ask("POST", user, body_of(command));
    case Verb::kRemoveUser: return ask("DELETE", user, "");
    case Verb::kShowLog: return ask("GET", "/v1/deeds", "");
    case Verb::kAddGroup: return ask("POST", "/v1/groups", body_of(command));
    case Verb::kListGroups: return ask("GET", "/v1/groups", "");
    case Verb::kShowGroup: return ask("GET", group, "");
    case Verb::kSetGroup: return ask("POST", group, body_of(command));
    case Verb::kRemoveGroup: return ask("DELETE", group, "");
    case Verb::kShowUsage: return ask_for_usage(ask, command);
    case Verb::kAddDevice: return ask("POST", "/v1/devices", body_of(command));
    case Verb::kListDevices: return ask("GET", command.user.empty() ? "/v1/users" : user, "");
    case Verb::kRemoveDevice: return ask_about_device(ask, command, "DELETE");
    case Verb::kSetDevice:
    case Verb::kRotateDevice: return ask_about_device(ask, command, "POST");
    case Verb::kInvite:
    case Verb::kCancelInvitations: break;  // invite_command.h
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
    case Verb::kAddGroup:
      return "group " + command.group + " is added; qdt-server user set NAME --group " +
             command.group + " puts a user into it\n";
    case Verb::kListGroups: return control::describe_groups(answer);
    case Verb::kShowGroup: return control::describe_group(answer);
    case Verb::kSetGroup: return "group " + command.group + " is changed\n";
    case Verb::kRemoveGroup: return "group " + command.group + " is removed\n";
    case Verb::kShowUsage: return control::describe_usage(answer, command.user);
    case Verb::kListDevices: return control::describe_devices(answer);
    case Verb::kRemoveDevice:
      return "device " + command.device + " of " + command.user + " is removed\n";
    case Verb::kSetDevice:
      return "device " + command.device + " of " + command.user + " is changed\n";
    case Verb::kAddDevice: return control::describe_secrets(answer, control::DeviceChange::kAdded);
    case Verb::kRotateDevice:
      return control::describe_secrets(answer, control::DeviceChange::kRotated);
    case Verb::kInvite:
    case Verb::kCancelInvitations: break;
  }
  return answer;
}

}  // namespace

void add_user_commands(CLI::App& app, std::optional<UserCommand>& chosen) {
  add_user(app, chosen);
  add_group(app, chosen);
  add_device(app, chosen);
  add_usage(app, chosen);
  add_invite(app, chosen);
}

int run_user_command(const std::string& program, const UserCommand& command,
                     const std::string& config_path) {
  if (const auto ok = check_names(command); !ok) {
    print_error(program, ok.error().message);
    return 1;
  }
  int exit_code = 1;
  const Ask ask = find_answerer(program, command.tun_name, config_path, exit_code);
  if (!ask) return exit_code;
  if (command.verb == Verb::kInvite || command.verb == Verb::kCancelInvitations) {
    return run_invite(program, command, config_path, ask);
  }
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
