#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/user_api.h"
#include "ops/http_server.h"
#include "tunnel/session_facts.h"
#include "wire/session_id.h"

namespace qdt::control {

/// A server as a whole.
struct ServerStatus {
  std::string version;
  std::string tun_name;
  std::string address;                  ///< where it takes clients
  std::optional<std::string> obstacle;  ///< why it takes none now
  Duration age{};
  std::size_t shards = 0;
  std::size_t sessions = 0;  ///< up to a second ago
  std::size_t max_sessions = 0;
  std::int64_t certificate_expiry = 0;  ///< seconds since the Unix epoch
};

/// The outcome of reading the files again.
struct Reloaded {
  std::string certificate;  ///< its fingerprint: `sha256:...`
  bool is_new_certificate = false;
  std::vector<std::string> in_force;       ///< keys that have changed since the last time
  std::vector<std::string> needs_restart;  ///< keys that have changed and are not in force
};

/// The functions of a server that its control socket calls: each on any of several threads at a
/// time. Those with a deadline fail with kTimeout then.
struct ServerControl {
  std::function<ServerStatus()> status;
  std::function<Result<std::vector<tunnel::SessionFacts>>(Timestamp deadline)> sessions;
  std::function<Result<tunnel::SessionFacts>(wire::SessionId id, Timestamp deadline)> kick;
  std::function<Result<Reloaded>(Timestamp deadline)> reload;
  std::function<ops::HttpResponse(const UserRequest& request)> users;
};

/// docs/control.md, and control.openapi.yaml beside it.
ops::HttpRoutes server_routes(ServerControl control);

std::string to_json(const ServerStatus& status);
std::string to_json(const std::vector<tunnel::SessionFacts>& sessions);

}  // namespace qdt::control
