#include "client_control.h"

#include <algorithm>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include "client/status.h"
#include "control/answer.h"
#include "control/call.h"
#include "control/client_api.h"
#include "control_sockets.h"
#include "ops/http_server.h"
#include "os/clock.h"
#include "os/control_socket.h"
#include "os/process.h"
#include "os/stream_socket.h"

namespace qdt::apps {
namespace {

using Verb = ControlCommand::Verb;

class SocketControl final : public ClientControl {
 public:
  ~SocketControl() override {
    constexpr Duration kPatience = 500ms;
    for (const Timestamp end = os::now() + kPatience;
         counters_.connections > 0 && os::now() < end;) {
      std::this_thread::sleep_for(5ms);
    }
  }
  Result<void> open(os::HostControl& host, client::Client& client, const std::string& tun_name,
                    Logger& logger) {
    const auto socket = host.open_control_socket();
    if (!socket) return fail(socket);
    auto server = ops::HttpServer::serve(
        os::StreamListener::adopt(*socket),
        control::client_routes({.status =
                                    [&client, tun_name] {
                                      return client::to_json(client.latest_status(), tun_name,
                                                             os::now());
                                    },
                                .reconnect = [&client] { client.reconnect(); },
                                .stop = [&client] { client.stop("qdt-client stop"); }}),
        control::manners(), counters_, logger);
    if (!server) return fail(server);
    server_ = std::move(*server);
    return {};
  }
  void run() override { server_->run(); }

 private:
  ops::HttpCounters counters_;
  std::unique_ptr<ops::HttpServer> server_;
};

// The exit code.
int print_status(const std::string& program, const os::FoundSocket& socket, bool as_json) {
  const auto answer = control::call(socket.path, "GET", "/v1/status");
  if (!answer && answer.error().code == ErrorCode::kUnavailable) {
    print_error(program, socket.tun_name +
                             ": the client has crashed; start it again, or put the host back with "
                             "qdt-client --cleanup");
    return 4;
  }
  if (!answer) {
    print_error(program, socket.tun_name + ": " + answer.error().message);
    return 1;
  }
  const auto status = client::parse_status(*answer);
  if (!status) {
    print_error(program, socket.tun_name + ": " + status.error().message);
    return 1;
  }
  const auto print = as_json ? client::to_json : client::describe;
  std::cout << print(*status, socket.tun_name, os::now()) << std::flush;
  return status_code(status->state);
}

int print_all(const std::string& program, const std::vector<os::FoundSocket>& sockets,
              bool as_json) {
  int worst = 0;
  for (const os::FoundSocket& socket : sockets) {
    worst = std::max(worst, print_status(program, socket, as_json));
  }
  return worst;
}

int order(const std::string& program, const std::string& path, Verb verb) {
  const bool is_stop = verb == Verb::kStop;
  const auto done = control::call(path, "POST", is_stop ? "/v1/stop" : "/v1/reconnect");
  if (!done) {
    print_error(program, done.error().message);
    return done.error().code == ErrorCode::kUnavailable ? kNoneRuns : 1;
  }
  std::cout << (is_stop ? "the client stops\n" : "the client connects anew\n");
  return 0;
}

}  // namespace

std::unique_ptr<ClientControl> open_client_control(os::HostControl& host, client::Client& client,
                                                   const std::string& tun_name, Logger& logger) {
  auto control = std::make_unique<SocketControl>();
  if (const auto ok = control->open(host, client, tun_name, logger); !ok) {
    logger.warning("no control socket (qdt-client status, reconnect, stop): " + ok.error().message);
    return nullptr;
  }
  return control;
}

std::string client_state(const std::string& tun_name) {
  for (const os::FoundSocket& socket : os::find_control_sockets(os::HostPlan::Role::kClient)) {
    if (socket.tun_name != tun_name) continue;
    const auto answer = control::call(socket.path, "GET", "/v1/status");
    const auto status = answer ? client::parse_status(*answer) : fail(answer);
    return status ? std::string(client::name_of(status->state)) : "does not answer";
  }
  return std::string(kNotRunning);
}

int control_client(const std::string& program, const ControlCommand& command) {
  const auto sockets = find_sockets(program, os::HostPlan::Role::kClient, command);
  if (!sockets) return sockets.error();
  if (command.verb != Verb::kStatus) return order(program, sockets->front().path, command.verb);
  const auto print = [&] { return print_all(program, *sockets, command.as_json); };
  return command.watches ? watch(command.as_json, print) : print();
}

}  // namespace qdt::apps
