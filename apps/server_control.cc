#include "server_control.h"

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "control/call.h"
#include "control/server_text.h"
#include "control_sockets.h"
#include "os/clock.h"
#include "os/control_socket.h"
#include "os/process.h"
#include "version.h"

namespace qdt::apps {

struct Errands::Wish {
  std::mutex mutex;
  std::condition_variable is_done;
  std::optional<Result<control::Reloaded>> result;
};

Result<std::unique_ptr<Errands>> Errands::open() {
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  return std::unique_ptr<Errands>(new Errands(std::move(*waker)));
}

Result<control::Reloaded> Errands::reload(Timestamp deadline) {
  const auto wish = std::make_shared<Wish>();
  mailbox_.post(wish);
  if (is_closed_) close();
  std::unique_lock lock(wish->mutex);
  const Duration patience = std::max(deadline - os::now(), Duration::zero());
  if (wish->is_done.wait_for(lock, patience, [&] { return wish->result.has_value(); })) {
    return std::move(*wish->result);
  }
  return fail("read the files again: they have not come yet; the log will tell",
              ErrorCode::kTimeout);
}

void Errands::run(const Reload& reload) {
  const Wishes wishes = mailbox_.take();
  if (!wishes.empty()) answer(wishes, reload());
}

void Errands::close() {
  is_closed_ = true;
  answer(mailbox_.take(), fail("the server is shutting down", ErrorCode::kUnavailable));
}

void Errands::answer(const Wishes& wishes, const Result<control::Reloaded>& result) {
  for (const auto& wish : wishes) {
    const std::scoped_lock lock(wish->mutex);
    wish->result = result;
    wish->is_done.notify_one();
  }
}

control::ServerControl server_control(const ops::ServerConfig& config, const server::Server& server,
                                      const std::atomic<std::int64_t>& certificate_expiry,
                                      ServerUsers& users, Errands& errands) {
  return {.status = [&server, &certificate_expiry, tun_name = config.tun_name, begun = os::now(),
                     counters = server.counters()]() -> control::ServerStatus {
            std::size_t sessions = 0;
            for (const tunnel::Counters* shard : counters) sessions += shard->sessions.value();
            return {.version = kVersion,
                    .tun_name = tun_name,
                    .address = server.local_address().to_string(),
                    .obstacle = server.obstacle(),
                    .age = os::now() - begun,
                    .shards = counters.size(),
                    .sessions = sessions,
                    .max_sessions = server.max_sessions(),
                    .certificate_expiry = certificate_expiry};
          },
          .sessions = [&server](Timestamp deadline) { return server.sessions(deadline); },
          .kick = [&server](wire::SessionId id,
                            Timestamp deadline) { return server.kick(id, deadline); },
          .reload = [&errands](Timestamp deadline) { return errands.reload(deadline); },
          .users = [&users](const control::UserRequest& request) { return users.answer(request); }};
}

namespace {

// The exit code of a command that failed.
int code_of(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kNotFound ? kNoneRuns : 1;
}

int tell(const std::string& program, const Error& error) {
  print_error(program, error.message);
  return code_of(error.code);
}

Result<std::string> status_text(const os::FoundSocket& socket, bool as_json) {
  const auto status = control::call(socket.path, "GET", "/v1/status");
  if (!status) return fail(status);
  const auto sessions = control::call(socket.path, "GET", "/v1/sessions");
  if (!sessions) return fail(sessions);
  if (as_json) return control::join_server(*status, *sessions);
  return control::describe_server(*status, *sessions, os::is_standard_output_a_terminal());
}

int print_status(const std::string& program, const std::vector<os::FoundSocket>& sockets,
                 bool as_json) {
  int worst = 0;
  std::string all;
  for (const os::FoundSocket& socket : sockets) {
    const auto text = status_text(socket, as_json);
    if (text) all += *text;
    if (!text) worst = std::max(worst, tell(program, text.error()));
  }
  std::cout << all << std::flush;
  return std::cout ? worst : 1;
}

// False where there is no such session any more.
Result<bool> end_session(const std::string& path, const std::string& id) {
  const auto kicked = control::call(path, "DELETE", "/v1/sessions/" + id);
  if (!kicked && kicked.error().code == ErrorCode::kNotFound) return false;
  if (!kicked) return fail(kicked);
  return true;
}

int kick(const std::string& program, const std::string& path, const std::string& target) {
  // A client may have a name that looks like a session's number.
  if (wire::parse_session_id(target)) {
    const auto ended = end_session(path, target);
    if (!ended) return tell(program, ended.error());
    if (*ended) {
      std::cout << "session " << target << " has ended\n";
      return 0;
    }
  }
  const auto sessions = control::call(path, "GET", "/v1/sessions");
  if (!sessions) return tell(program, sessions.error());
  const auto ids = control::sessions_of(*sessions, target);
  if (!ids) return tell(program, ids.error());
  if (ids->empty()) {
    print_error(program, "there is no session of " + target);
    return 1;
  }
  for (const std::string& id : *ids) {
    const auto ended = end_session(path, id);
    if (!ended) return tell(program, ended.error());
    std::cout << "session " << id << (*ended ? " has ended\n" : " had ended already\n");
  }
  return 0;
}

int reload(const std::string& program, const std::string& path) {
  const auto reloaded = control::call(path, "POST", "/v1/reload");
  if (!reloaded) return tell(program, reloaded.error());
  const auto text = control::describe_reload(*reloaded);
  if (!text) return tell(program, text.error());
  std::cout << *text;
  return 0;
}

}  // namespace

int control_server(const std::string& program, const ControlCommand& command) {
  using Verb = ControlCommand::Verb;
  const auto sockets = find_sockets(program, os::HostPlan::Role::kServer, command);
  if (!sockets) return sockets.error();
  if (command.verb == Verb::kStatus) {
    const auto print = [&] { return print_status(program, *sockets, command.as_json); };
    return command.watches ? watch(command.as_json, print) : print();
  }
  const std::string& path = sockets->front().path;
  return command.verb == Verb::kKick ? kick(program, path, command.target) : reload(program, path);
}

}  // namespace qdt::apps
