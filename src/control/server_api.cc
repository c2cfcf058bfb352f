#include "control/server_api.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/answer.h"
#include "os/clock.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quoted(const std::string& text) {
  return text_of(Json(text));
}

// Written by hand: the library would make a tree of values of each of 10,000 sessions first.
void append(std::string& out, std::string_view key, std::uint64_t number) {
  out.append(",\"").append(key).append("\":").append(std::to_string(number));
}

void append(std::string& out, std::string_view key, const access::Traffic::Way& way,
            std::uint64_t bytes_per_second) {
  out.append(",\"").append(key).append("\":{\"packets\":").append(std::to_string(way.packets));
  append(out, "bytes", way.bytes);
  append(out, "drops", way.drops);
  append(out, "bytes_per_second", bytes_per_second);
  out += '}';
}

void append(std::string& out, const tunnel::SessionFacts& facts) {
  const auto count = [](auto number) { return static_cast<std::uint64_t>(number); };
  out.append("{\"id\":\"").append(wire::session_id_text(facts.id));
  out.append("\",\"user\":").append(quoted(facts.user));
  out.append(",\"device\":").append(quoted(facts.device));
  out.append(",\"client\":").append(quoted(facts.client));
  out.append(",\"outer\":");
  out.append(facts.outer ? "\"" + facts.outer->to_string() + "\"" : "null");
  out.append(",\"inner\":[\"").append(facts.lease.to_string());
  if (facts.lease6) out.append("\",\"").append(facts.lease6->to_string());
  out.append("\"]");
  append(out, "age_seconds", count(facts.age / 1s));
  append(out, "silent_milliseconds", count(facts.silence / 1ms));
  append(out, "rtt_microseconds", count(facts.rtt / 1us));
  append(out, "packets_arrived", facts.packets_arrived);
  append(out, "packets_lost", facts.packets_lost);
  append(out, "path_mtu", facts.path_mtu);
  out.append(facts.is_direct ? R"(,"plane":"direct")" : R"(,"plane":"quic")");
  append(out, "up", facts.traffic.up, facts.rates.up);
  append(out, "down", facts.traffic.down, facts.rates.down);
  out += '}';
}

// The list of 10,000 sessions has some megabytes: one is made at a time. Not a timed_mutex: GCC
// 12's ThreadSanitizer does not know pthread_mutex_clocklock.
class Turns {
  struct End {
    void operator()(Turns* turns) const { turns->end(); }
  };

 public:
  template <typename Work>
  ops::HttpResponse take(Work work) {
    const Timestamp deadline = os::now() + kAnswerTime;
    const std::unique_ptr<Turns, End> turn(begin() ? this : nullptr);
    if (!turn) return refusal({"others ask for the same", ErrorCode::kBusy});
    return work(deadline);
  }

 private:
  bool begin() {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, std::chrono::nanoseconds(kAnswerTime),
                        [this] { return !is_taken_; })) {
      return false;
    }
    is_taken_ = true;
    return true;
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      is_taken_ = false;
    }
    free_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable free_;
  bool is_taken_ = false;
};

ops::HttpResponse kick(const ServerControl& control, const ops::HttpRequest& request) {
  if (const auto ok = check_no_body(request); !ok) return refusal(ok.error());
  const auto id = wire::parse_session_id(request.rest);
  if (!id) {
    return refusal({"a session's ID has 16 hexadecimal digits, as /v1/sessions shows it",
                    ErrorCode::kInvalidArgument});
  }
  const auto kicked = control.kick(*id, os::now() + kAnswerTime);
  if (!kicked) return refusal(kicked.error());
  std::string text;
  append(text, *kicked);
  return answer(std::move(text));
}

ops::HttpResponse reload(const ServerControl& control, const ops::HttpRequest& request) {
  if (const auto ok = check_no_body(request); !ok) return refusal(ok.error());
  const auto reloaded = control.reload(os::now() + kAnswerTime);
  if (!reloaded) return refusal(reloaded.error());
  return answer(text_of({{"certificate", reloaded->certificate},
                         {"is_new_certificate", reloaded->is_new_certificate},
                         {"in_force", reloaded->in_force},
                         {"needs_restart", reloaded->needs_restart}}));
}

UserRequest user_request(const ops::HttpRequest& request) {
  const auto user = request.peer_user;
  return {.method = request.method,
          .path = request.path,
          .body = request.body,
          .who = !user        ? "somebody"
                 : *user == 0 ? "root"
                              : "user " + std::to_string(*user)};
}

}  // namespace

std::string to_json(const ServerStatus& status) {
  return text_of({{"program", "qdt-server"},
                  {"version", status.version},
                  {"tun", status.tun_name},
                  {"address", status.address},
                  {"ready", !status.obstacle.has_value()},
                  {"obstacle", status.obstacle ? Json(*status.obstacle) : Json()},
                  {"age_seconds", status.age / 1s},
                  {"shards", status.shards},
                  {"sessions", status.sessions},
                  {"max_sessions", status.max_sessions},
                  {"certificate_expiry", status.certificate_expiry}});
}

std::string to_json(const std::vector<tunnel::SessionFacts>& sessions) {
  std::string text = R"({"sessions":[)";
  for (const tunnel::SessionFacts& facts : sessions) {
    if (!text.ends_with('[')) text += ',';
    append(text, facts);
  }
  return text + "]}";
}

ops::HttpRoutes server_routes(ServerControl functions) {
  const auto control = std::make_shared<const ServerControl>(std::move(functions));
  const auto turns = std::make_shared<Turns>();  // of all copies of the route
  ops::HttpRoutes routes;
  routes["/v1/status"] = {.answer = [control](const ops::HttpRequest&) -> ops::HttpResponse {
    return answer(to_json(control->status()));
  }};
  routes["/v1/sessions"] = {
      .answer = [control, turns](const ops::HttpRequest&) -> ops::HttpResponse {
        return turns->take([&](Timestamp deadline) {
          const auto sessions = control->sessions(deadline);
          return sessions ? answer(to_json(*sessions)) : refusal(sessions.error());
        });
      },
      .takes_time = true};
  routes["/v1/sessions/"] = {
      .answer = [control](const ops::HttpRequest& request) { return kick(*control, request); },
      .methods = ops::HttpMethods::kDelete,
      .takes_time = true};
  routes["/v1/reload"] = {
      .answer = [control](const ops::HttpRequest& request) { return reload(*control, request); },
      .methods = ops::HttpMethods::kPost,
      .takes_time = true};
  for (const char* const path :
       {"/v1/users", "/v1/users/", "/v1/groups", "/v1/groups/", "/v1/devices", "/v1/devices/",
        "/v1/deeds", "/v1/usage", "/v1/usage/", "/v1/invitations", "/v1/invitations/"}) {
    routes[path] = {.answer =
                        [control](const ops::HttpRequest& request) {
                          return control->users(user_request(request));
                        },
                    .methods = ops::HttpMethods::kAll,
                    .takes_time = true};
  }
  return routes;
}

}  // namespace qdt::control
