#pragma once

#include <functional>
#include <string>

#include "ops/http_server.h"

namespace qdt::control {

/// The functions of a client that its control socket calls, each on any of several threads.
struct ClientControl {
  std::function<std::string()> status;  ///< one object of JSON
  std::function<void()> reconnect;
  std::function<void()> stop;
};

/// docs/control.md, and control.openapi.yaml beside it.
ops::HttpRoutes client_routes(ClientControl control);

}  // namespace qdt::control
