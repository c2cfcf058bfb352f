#pragma once

#include <optional>
#include <string>

#include "service_command.h"
#include "user_command.h"

namespace qdt::apps {

/// A question to the programs that run, or an order to one of them.
struct ControlCommand {
  enum class Verb { kStatus, kKick, kReload, kReconnect, kStop };
  Verb verb = Verb::kStatus;
  std::string tun_name;  ///< the program's TUN device; empty: any
  std::string target;    ///< for kKick: a session's ID, or a client's name, user or inner address
  bool as_json = false;  ///< for kStatus
  bool watches = false;  ///< for kStatus: again every second, until it is interrupted
};

/// `key`: makes a device's key.
struct KeyCommand {
  std::string file;      ///< for the private key; empty: it is printed
  bool has_psk = false;  ///< makes a PSK as well
};

/// A command for the connections that links have added (profile_command.h).
struct ProfileCommand {
  enum class Verb { kAdd, kList, kUp, kDown, kRemove };
  Verb verb = Verb::kList;
  std::string name;      ///< the connection's; empty for kAdd: the link's
  std::string link;      ///< for kAdd; "-": standard input has it
  std::string folder;    ///< where their configurations are
  bool as_json = false;  ///< for kList
};

/// The options of both programs.
struct CommandLine {
  std::string config_path;
  bool check_config = false;
  bool cleanup = false;
  std::optional<ControlCommand> control;
  std::optional<ServiceCommand> service;
  std::optional<KeyCommand> key;
  std::optional<ProfileCommand> profile;
  std::optional<UserCommand> user;
  bool load_programs = false;
  bool client_config = false;  ///< the server prints a configuration for a client
  std::string address;         ///< for client_config; empty: not given
};

/// The texts of a program's --help, and its options.
struct Program {
  std::string name;
  std::string description;
  std::string default_config;
  std::string footer;
  bool has_status = false;         ///< knows `status`, `reconnect` and `stop`, as a client does
  bool has_key = false;            ///< knows `key`
  bool has_profiles = false;       ///< knows `add`, `list`, `up`, `down` and `remove`
  bool has_client_config = false;  ///< knows `client-config`
  bool has_sessions = false;       ///< knows `status`, `kick` and `reload`, as a server does
  /// Adds `user`, `group`, `device`, `usage` and `invite`, as a server has them; null: the program
  /// has no users.
  void (*add_user_commands)(CLI::App& app, std::optional<UserCommand>& chosen) = nullptr;
  bool has_service = false;  ///< knows `service`, where the system has services
};

/// Reads the command line; `-config FILE` is taken for `--config FILE`, and so on for every option.
/// Nothing when the program is to exit with `exit_code`: it printed its help, its version, or what
/// is wrong.
std::optional<CommandLine> parse_command_line(int argc, char** argv, const Program& program,
                                              int& exit_code);

/// "; looked in ...", for the error of a configuration that was not named and is in no place where
/// programs look for one; else empty.
std::string where_it_looked(const CommandLine& command_line, const Program& program);

/// Prints `PROGRAM: message`, each line of it, to standard error.
void print_error(const std::string& program, const std::string& message);

/// `load-programs`: os::hand_over_tun_programs(). The exit code.
int load_programs(const std::string& program);

/// `--cleanup`: undoes what crashed programs left on this host, and says what. The exit code.
int clean_up(const std::string& program);

}  // namespace qdt::apps
