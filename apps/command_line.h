#pragma once

#include <optional>
#include <string>

#include "service_command.h"

namespace qdt::apps {

/// The options of both programs.
struct CommandLine {
  std::string config_path;
  bool check_config = false;
  bool cleanup = false;
  bool status = false;  ///< the client's
  bool json = false;    ///< for status
  std::optional<ServiceCommand> service;
  bool load_programs = false;
  bool client_config = false;  ///< the server's
  std::string address;         ///< for client_config; empty: not given
};

/// The texts of a program's --help, and its options.
struct Program {
  std::string name;
  std::string description;
  std::string default_config;
  std::string footer;
  bool has_status = false;         ///< knows --status
  bool has_client_config = false;  ///< knows `client-config`
  bool has_service = false;        ///< knows `service`, where the system has services
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
