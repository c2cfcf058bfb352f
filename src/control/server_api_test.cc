#include "control/server_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/peer_text.h"
#include "control/answer.h"
#include "control/call.h"
#include "control/server_text.h"
#include "os/clock.h"
#include "os/control_socket.h"
#include "os/stream_socket.h"

namespace qdt::control {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class NoLogger final : public Logger {
  void write(LogLevel, std::string_view) override {}
};

tunnel::SessionFacts session(wire::SessionId id, std::string client) {
  return {.id = id,
          .client = std::move(client),
          .outer = SocketAddress{IpAddress::v4(0xc6336402), 51234},
          .lease = IpAddress::v4(0x0a080002),
          .age = 125s,
          .silence = 1500ms,
          .rtt = 24'100us,
          .packets_arrived = 999,
          .packets_lost = 1,
          .path_mtu = 1452,
          .is_direct = true,
          .traffic = {.up = {.packets = 3, .bytes = 1234}, .down = {.packets = 4, .bytes = 56}},
          .rates = {.up = 125'000, .down = 0}};
}

/// A control socket before a server that has two sessions.
class Control : public testing::Test {
 protected:
  void SetUp() override {
    // Several of these tests run at the same time.
    const std::string name = "t" + std::to_string(os::now().time_since_epoch().count());
    auto socket = os::ControlSocket::open(name, os::HostPlan::Role::kServer);
    ASSERT_TRUE(socket) << socket.error().message << "; run the tests as root";
    file_.emplace(std::move(*socket));
    for (const auto& found : os::find_control_sockets(os::HostPlan::Role::kServer)) {
      if (found.tun_name == name) path_ = found.path;
    }
    auto server = ops::HttpServer::serve(
        os::StreamListener::adopt(file_->release()),
        server_routes(
            {.status =
                 [] {
                   return ServerStatus{.version = "1",
                                       .tun_name = "qdt0",
                                       .address = "0.0.0.0:443",
                                       .max_sessions = 10};
                 },
             .sessions = [this](Timestamp) -> Result<std::vector<tunnel::SessionFacts>> {
               if (is_stuck_)
                 return fail("ask the shards: 1 of 1 have not answered in time",
                             ErrorCode::kTimeout);
               return sessions_;
             },
             .kick = [this](wire::SessionId id, Timestamp) -> Result<tunnel::SessionFacts> {
               for (const auto& one : sessions_) {
                 if (one.id == id) return one;
               }
               return fail("there is none", ErrorCode::kNotFound);
             },
             .reload = [](Timestamp) -> Result<Reloaded> {
               return fail("nothing is changed: server.yaml:1:1: no token",
                           ErrorCode::kInvalidArgument);
             },
             .users =
                 [](const UserRequest& request) {
                   return answer("{\"method\":\"" + request.method + "\",\"path\":\"" +
                                 request.path +
                                 "\",\"body\":" + (request.body.empty() ? "null" : request.body) +
                                 ",\"who\":\"" + request.who + "\"}");
                 }}),
        manners(), counters_, logger_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    server_->run();
  }

  ErrorCode code_of(std::string_view method, std::string_view target) {
    const auto answer = call(path_, method, target);
    return answer ? ErrorCode::kOther : answer.error().code;
  }

  NoLogger logger_;
  ops::HttpCounters counters_;
  std::optional<os::ControlSocket> file_;
  std::string path_;
  std::atomic<bool> is_stuck_ = false;
  std::vector<tunnel::SessionFacts> sessions_ = {session(1, "laptop"), session(2, "\"a b\"")};
  std::unique_ptr<ops::HttpServer> server_;
};

TEST_F(Control, ShowsTheServer) {
  const auto answer = call(path_, "GET", "/v1/status");
  ASSERT_TRUE(answer) << answer.error().message;
  const auto json = nlohmann::json::parse(*answer);
  EXPECT_EQ(json["program"], "qdt-server");
  EXPECT_EQ(json["ready"], true);
  EXPECT_EQ(json["max_sessions"], 10);
}

TEST_F(Control, ShowsTheSessions) {
  const auto answer = call(path_, "GET", "/v1/sessions");
  ASSERT_TRUE(answer) << answer.error().message;
  const auto json = nlohmann::json::parse(*answer)["sessions"];
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["id"], "0000000000000001");
  EXPECT_EQ(json[0]["outer"], "198.51.100.2:51234");
  EXPECT_EQ(json[0]["plane"], "direct");
  EXPECT_EQ(json[0]["up"]["bytes_per_second"], 125'000);
}

TEST_F(Control, EndsASessionByItsNumber) {
  const auto answer = call(path_, "DELETE", "/v1/sessions/0000000000000002");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(nlohmann::json::parse(*answer)["client"], "\"a b\"");
  EXPECT_EQ(code_of("DELETE", "/v1/sessions/0000000000000003"), ErrorCode::kNotFound);
}

TEST_F(Control, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(code_of("GET", "/"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("GET", "/v2/status"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("GET", "/v1/status/"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("DELETE", "/v1/sessions/"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("DELETE", "/v1/sessions/1/2"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("DELETE", "/v1/sessions/../status"), ErrorCode::kNotFound);
  for (const auto& [method, target] : {std::pair{"POST", "/v1/status"},
                                       {"DELETE", "/v1/sessions"},
                                       {"GET", "/v1/reload"},
                                       {"PUT", "/v1/sessions/0000000000000001"},
                                       {"DELETE", "/v1/sessions/1"},
                                       {"DELETE", "/v1/sessions/%0a"},
                                       {"DELETE", "/v1/sessions/zzzzzzzzzzzzzzzz"}}) {
    EXPECT_EQ(code_of(method, target), ErrorCode::kInvalidArgument) << method << ' ' << target;
  }
}

TEST_F(Control, PassesOnErrorsWithTheirCode) {
  const auto reload = call(path_, "POST", "/v1/reload");
  ASSERT_FALSE(reload);
  EXPECT_EQ(reload.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(reload.error().message, "nothing is changed: server.yaml:1:1: no token");
  is_stuck_ = true;
  EXPECT_EQ(code_of("GET", "/v1/sessions"), ErrorCode::kTimeout);
}

TEST_F(Control, PassesRequestsAboutUsersOn) {
  const auto json = [&](const char* method, const char* path, const char* body) {
    const auto answer = call(path_, method, path, kPatience, body);
    EXPECT_TRUE(answer) << answer.error().message;
    return nlohmann::json::parse(answer.value_or("null"));
  };
  EXPECT_EQ(json("POST", "/v1/users/ann", R"({"enabled":false})"),
            nlohmann::json({{"method", "POST"},
                            {"path", "/v1/users/ann"},
                            {"body", {{"enabled", false}}},
                            {"who", "root"}}));
  EXPECT_EQ(json("DELETE", "/v1/devices/1", "")["method"], "DELETE");
  EXPECT_EQ(json("GET", "/v1/users", "")["path"], "/v1/users");
  EXPECT_EQ(json("GET", "/v1/deeds", "")["body"], nullptr);
}

TEST_F(Control, RefusesABody) {
  auto client = os::StreamConnection::connect_local(path_);
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->write(as_bytes("POST /v1/reload HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Length: 2\r\n\r\n{}"),
                            os::now() + 10s));
  std::array<std::uint8_t, 12> answer;
  ASSERT_EQ(client->read(answer, os::now() + 30s), 12u);
  EXPECT_EQ(as_text(answer), "HTTP/1.1 400");
}

TEST_F(Control, AnswersAHundredAtOnce) {
  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 100; ++i) {
      clients.emplace_back([&] {
        if (call(path_, "GET", "/v1/sessions", 120s)) ++answers;
      });
    }
  }
  EXPECT_EQ(answers, 100);
  EXPECT_EQ(counters_.gave_way, 0u);
}

// As many as there may be say nothing; whoever comes then waits until they are out of time.
TEST_F(Control, AnswersOnceSilentConnectionsAreOutOfTime) {
  std::vector<os::StreamConnection> silent;
  for (int i = 0; i < 20; ++i) {
    auto connection = os::StreamConnection::connect_local(path_);
    ASSERT_TRUE(connection) << connection.error().message;
    silent.push_back(std::move(*connection));
  }
  EXPECT_TRUE(call(path_, "GET", "/v1/status", 120s));
}

TEST_F(Control, AnswersBesideReadersThatFetchNothing) {
  sessions_.assign(20'000, session(7, "many"));
  std::vector<os::StreamConnection> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(std::move(*os::StreamConnection::connect_local(path_)));
    ASSERT_TRUE(slow.back().write(as_bytes("GET /v1/sessions HTTP/1.1\r\nHost: x\r\n\r\n"),
                                  os::now() + 10s));
  }
  EXPECT_TRUE(call(path_, "GET", "/v1/status", 120s));
  const auto all = call(path_, "GET", "/v1/sessions", 120s);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_GT(all->size(), 20'000u * 100);
}

TEST_F(Control, IsNotAnsweredWhenItsProgramIsGone) {
  server_.reset();
  const auto answer = call(path_, "GET", "/v1/status");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

TEST(ServerText, FitsAHundredColumns) {
  auto wide = session(~0ULL, std::string(60, 'w'));
  wide.lease6 = IpAddress::parse("fd00:1111:2222:3333:4444:5555:6666:7777").value();
  wide.outer = SocketAddress{*wide.lease6, 65535};
  wide.traffic.up.bytes = wide.traffic.down.bytes = 999'900'000'000'000;
  wide.rates = {.up = 1'250'000'000, .down = 1'250'000'000};
  wide.rtt = 9'999'900us;
  const auto text = describe_server(to_json(ServerStatus{.version = "1.2.3", .tun_name = "qdt0"}),
                                    to_json(std::vector{wide}), false);
  ASSERT_TRUE(text) << text.error().message;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = text->find('\n', at);
    EXPECT_LE(end - at, 100u) << text->substr(at, end - at);
    at = end + 1;
  }
}

TEST(ServerText, ShowsASession) {
  const auto text = describe_server(to_json(ServerStatus{.version = "1", .max_sessions = 5}),
                                    to_json(std::vector{session(1, "laptop")}), false);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("1 of at most 5 sessions\n"));
  EXPECT_THAT(*text, HasSubstr("laptop             198.51.100.2:51234    10.8.0.2           "
                               "2 min 5 s   1 s        0000000000000001\n"));
  EXPECT_THAT(*text, HasSubstr("  direct  24.1 ms    loss 0.1 %  MTU 1452   up 1.2 kB 1.0 Mbit/s  "
                               "down 56 B 0.0 Mbit/s\n"));
}

TEST(ServerText, HasNoNumberWhereThePoolAloneIsTheLimit) {
  const auto text = describe_server(to_json(ServerStatus{.version = "1", .max_sessions = 0}),
                                    to_json(std::vector{session(1, "laptop")}), false);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("1 of as many sessions as the pool holds\n"));
}

TEST(ServerText, SaysWhatAReloadHasChanged) {
  EXPECT_EQ(*describe_reload(R"({"certificate":"sha256:00","is_new_certificate":true,)"
                             R"("in_force":["token","dns"],"needs_restart":["addr"]})"),
            "the files are read again: clients are shown the certificate sha256:00\n"
            "changed, and in force: token, dns\n"
            "changed, but in force only after a restart: addr\n");
  EXPECT_EQ(*describe_reload(R"({"certificate":"sha256:00","is_new_certificate":false,)"
                             R"("in_force":[],"needs_restart":[]})"),
            "the files are read again: the same certificate\n");
}

TEST(ServerText, HasNothingToSayAboutOtherAnswers) {
  for (const char* other : {"", "{}", "[]", "null", R"({"ready":1})", "\xff"}) {
    EXPECT_FALSE(describe_server(other, other, false)) << other;
    EXPECT_FALSE(join_server(other, other)) << other;
    EXPECT_FALSE(sessions_of(other, "x")) << other;
    EXPECT_FALSE(describe_reload(other)) << other;
  }
}

TEST(ServerText, JoinsBothAnswers) {
  const auto both = join_server(to_json(ServerStatus{.version = "1"}) + "\n",
                                to_json(std::vector{session(1, "a\"b")}) + "\n");
  ASSERT_TRUE(both) << both.error().message;
  const auto json = nlohmann::json::parse(*both);
  EXPECT_EQ(json["status"]["version"], "1");
  EXPECT_EQ(json["sessions"][0]["client"], "a\"b");
}

TEST(ServerText, FindsSessionsByNameAndAddress) {
  const std::string all = to_json({session(1, "laptop"), session(2, "phone")});
  EXPECT_EQ(sessions_of(all, "phone"), (std::vector<std::string>{"0000000000000002"}));
  EXPECT_EQ(sessions_of(all, "10.8.0.2").value().size(), 2u);
  EXPECT_TRUE(sessions_of(all, "tablet").value().empty());
}

TEST(ServerText, FindsSessionsByTheirUser) {
  auto phone = session(1, "phone");
  phone.user = "ann";
  const std::string all = to_json({phone, session(2, "laptop")});
  EXPECT_EQ(sessions_of(all, "ann"), (std::vector<std::string>{"0000000000000001"}));
  EXPECT_TRUE(sessions_of(all, "").value().empty());
}

// As the client's configuration has the name, and as status shows it.
TEST(ServerText, FindsSessionsByANameThatIsShownInQuotes) {
  const std::string all = to_json({session(1, quote_peer_name("my laptop"))});
  EXPECT_EQ(sessions_of(all, "my laptop").value().size(), 1u);
  EXPECT_EQ(sessions_of(all, "\"my laptop\"").value().size(), 1u);
  EXPECT_TRUE(sessions_of(all, "laptop").value().empty());
}

}  // namespace
}  // namespace qdt::control
