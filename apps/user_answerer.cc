#include "user_answerer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "command_line.h"
#include "control/answer.h"
#include "control/call.h"
#include "control/user_api.h"
#include "control_sockets.h"
#include "ops/config.h"
#include "ops/log.h"
#include "os/control_socket.h"
#include "os/file.h"
#include "os/stream_socket.h"
#include "os/system_random.h"
#include "server_files.h"
#include "server_users.h"

namespace qdt::apps {
namespace {

// Not behind a socket that a server has left which was killed.
bool somebody_listens(const os::FoundSocket& socket) {
  const auto connected = os::StreamConnection::connect_local(socket.path);
  return connected || connected.error().code != ErrorCode::kUnavailable;
}

}  // namespace

Ask find_answerer(const std::string& program, const std::string& tun_name,
                  const std::string& config_path, int& exit_code) {
  const auto sockets = os::find_control_sockets(os::HostPlan::Role::kServer);
  const bool is_there = !tun_name.empty() || std::ranges::any_of(sockets, somebody_listens);
  if (is_there) {
    const auto found = find_sockets(program, os::HostPlan::Role::kServer,
                                    {.verb = ControlCommand::Verb::kReload, .tun_name = tun_name});
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
    Local(const std::string& path, const std::optional<users::Addresses>& addresses)
        : file(user_file(path), random, unix_seconds, *logger),
          api(file, random, unix_seconds, addresses) {}
  };
  // A configuration with a fault is no reason to change nobody.
  const auto loaded = ops::load_server_config(config_path);
  const auto addresses = loaded ? std::optional(addresses_of(loaded->config)) : std::nullopt;
  return [local = std::make_shared<Local>(config_path, addresses)](
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

}  // namespace qdt::apps
