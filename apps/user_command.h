#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace qdt::apps {

/// `qdt-server user ...`, `group ...`, `device ...`, `usage` and `invite`.
struct UserCommand {
  enum class Verb {
    kAddUser,
    kListUsers,
    kShowUser,
    kSetUser,
    kEnableUser,
    kDisableUser,
    kRemoveUser,
    kShowLog,
    kAddGroup,
    kListGroups,
    kShowGroup,
    kSetGroup,
    kRemoveGroup,
    kShowUsage,
    kAddDevice,
    kListDevices,
    kRemoveDevice,
    kSetDevice,
    kRotateDevice,
    kInvite,
    kCancelInvitations,
  };
  Verb verb = Verb::kListUsers;
  std::string user;
  std::string device;
  std::string group;
  std::vector<std::pair<std::string, std::string>> settings;  ///< of one: `expires`, `30d`
  std::string device_address;  ///< to give it for good; empty: not given
  std::string key;             ///< of a device; empty: none
  bool has_token = false;      ///< a device's, as are the next two
  bool has_login = false;
  bool has_psk = false;
  std::string address;  ///< of kInvite, as the next four
  bool shows_qr = false;
  std::string png;    ///< a new file; empty: none
  std::string svg;    ///< likewise
  std::string month;  ///< of kShowUsage: `2026-11`; empty: this one
  bool as_json = false;
  std::string tun_name;  ///< of the server, where several run; empty: any
};

/// Adds these commands; `chosen` is set where one of them was given.
void add_user_commands(CLI::App& app, std::optional<UserCommand>& chosen);

/// Asks the running server, or does it on the file of `config_path` where none runs. The exit code.
int run_user_command(const std::string& program, const UserCommand& command,
                     const std::string& config_path);

}  // namespace qdt::apps
