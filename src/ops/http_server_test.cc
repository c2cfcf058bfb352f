#include "ops/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ops/test_client.h"

namespace qdt::ops {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

HttpResponse echo(const HttpRequest& request) {
  const auto name = request.query.find("name");
  return {.body = name == request.query.end() ? request.body : "name=" + name->second};
}

const HttpRoutes kEcho = {{"/hello", {.answer = [](const HttpRequest&) -> HttpResponse {
                             return {.content_type = "text/x-test", .body = "hi"};
                           }}},
                          {"/echo", {.answer = echo, .methods = HttpMethods::kGetAndPost}},
                          {"/throw", {.answer = [](const HttpRequest&) -> HttpResponse {
                             throw std::runtime_error("a\r\nb: c");
                           }}}};

class Http : public testing::Test {
 protected:
  void start(HttpRoutes routes) {
    auto opened = HttpServer::open("test_addr", kLoopback, std::move(routes), counters_, logger_);
    ASSERT_TRUE(opened) << opened.error().message;
    server_ = std::move(*opened);
    server_->run();
  }

  std::string send(std::string_view request) { return http(server_->address(), request); }
  std::string get(const std::string& path) { return http_get(server_->address(), path); }

  os::StreamConnection connect() {
    auto client = os::StreamConnection::connect(server_->address(), os::now() + 5s);
    return client ? std::move(*client) : throw std::runtime_error(client.error().message);
  }

  MemoryLogger logger_;
  HttpCounters counters_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Http, AnswersGet) {
  start(kEcho);
  EXPECT_THAT(get("/hello"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nConnection: close\r\n"),
                    HasSubstr("\r\nContent-Type: text/x-test\r\n"), EndsWith("\r\n\r\nhi")));
}

TEST_F(Http, AnswersHeadWithoutABody) {
  start(kEcho);
  EXPECT_THAT(send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(Http, HandsOverTheQuery) {
  start(kEcho);
  EXPECT_THAT(get("/echo?x=1&name=a%20b"), EndsWith("\r\n\r\nname=a b"));
}

TEST_F(Http, HandsOverABody) {
  start(kEcho);
  EXPECT_THAT(send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nbody")));
}

// pprof sends addresses as such a form.
TEST_F(Http, HandsOverALongForm) {
  start(kEcho);
  const std::string form(100'000, 'x');
  const std::string response = send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Content-Length: 100000\r\n\r\n" +
      form);
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\n" + form));
}

// RFC 9112 section 3.2.2: such a request is answered, whether or not a proxy was meant.
TEST_F(Http, TakesAWholeAddress) {
  start(kEcho);
  EXPECT_THAT(send("GET http://x:1/hello HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("\r\n\r\nhi"));
  EXPECT_THAT(send("GET HTTP://x/echo?name=a HTTP/1.1\r\nHost: x\r\n\r\n"),
              EndsWith("\r\n\r\nname=a"));
  EXPECT_THAT(send("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(send("GET http://x//hello HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/hello://x"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(Http, KnowsItsPathsAndMethods) {
  start(kEcho);
  EXPECT_THAT(get("/nowhere"),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), EndsWith("/echo\n/hello\n/throw\n")));
  EXPECT_THAT(get("/hello/"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
}

TEST_F(Http, RefusesABodyWithoutEnd) {
  start(kEcho);
  EXPECT_THAT(send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
                   std::string(2'000'000, 'x')),
              StartsWith("HTTP/1.1 413 "));
  std::string chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 40; ++i) chunked += "ffff\r\n" + std::string(0xffff, 'x') + "\r\n";
  EXPECT_THAT(send(chunked), StartsWith("HTTP/1.1 411 "));
}

/// Requests that libmicrohttpd refuses by itself. Its versions differ in the status, and in whether
/// the connection is closed without any.
class Refused : public Http, public testing::WithParamInterface<std::string> {};

TEST_P(Refused, IsNotServedAndDoesNoHarm) {
  start(kEcho);
  const Timestamp before = os::now();
  EXPECT_THAT(send(GetParam()), AnyOf("", StartsWith("HTTP/1.1 4"), StartsWith("HTTP/1.1 5")));
  EXPECT_LT(os::now() - before, 4s);  // before it is late
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
}
INSTANTIATE_TEST_SUITE_P(
    Http, Refused,
    testing::Values(
        "\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n\r\n\r\nGET\r\n\r\n",
        "GET /" + std::string(3'000'000, 'x'),
        "GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(100'000, 'x'),
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nx",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\nx",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\nx",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello\r\n\r\n\r\n"));

TEST_F(Http, DoesNotMultiplyRanges) {
  start(kEcho);
  EXPECT_THAT(send("GET /hello HTTP/1.1\r\nHost: x\r\nRange: bytes=0-,0-,0-,0-,0-\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nhi")));
}

TEST_F(Http, SurvivesAHandlerThatThrows) {
  start(kEcho);
  EXPECT_THAT(get("/throw"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
}

TEST_F(Http, SaysWhereItListens) {
  start(kEcho);
  EXPECT_EQ(logger_.text, "test_addr: http://" + server_->address().to_string() +
                              " serves /echo /hello /throw\n");
}

TEST_F(Http, SaysHowToMendATakenAddress) {
  start(kEcho);
  const auto second = HttpServer::open("test_addr", server_->address(), kEcho, counters_, logger_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "test_addr " + server_->address().to_string() +
                ": Address already in use; choose another address or set test_addr: off");
}

TEST_F(Http, AnswersBesideAnyNumberOfSilentConnections) {
  start(kEcho);
  std::vector<os::StreamConnection> silent;
  constexpr std::size_t kSilent = 6 * HttpServer::kMaxConnections;
  for (std::size_t i = 0; i < kSilent; ++i) silent.push_back(connect());
  const Timestamp before = os::now();
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
  EXPECT_LT(os::now() - before, 4s);  // before any of them is late
  EXPECT_LE(counters_.connections, HttpServer::kMaxConnectionsOfAddress);
  EXPECT_GE(counters_.gave_way, kSilent - HttpServer::kMaxConnectionsOfAddress);
}

TEST_F(Http, KeepsTheConnectionThatMadeProgressLast) {
  start(kEcho);
  os::StreamConnection slow = connect();
  std::vector<os::StreamConnection> silent;
  const std::size_t most = HttpServer::kMaxConnectionsOfAddress;
  for (std::size_t i = 2; i < most; ++i) silent.push_back(connect());
  EXPECT_THAT(get("/hello"),
              EndsWith("hi"));  // so all of them were accepted, and one more has room
  ASSERT_TRUE(slow.write(as_bytes("GET /hello HTTP/1.1\r\n"), os::now() + 5s));
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
  for (std::size_t i = 4; i < most; ++i) silent.push_back(connect());
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
  EXPECT_GT(counters_.gave_way, most / 2);
  ASSERT_TRUE(slow.write(as_bytes("\r\n"), os::now() + 5s));
  std::array<std::uint8_t, 15> answer;
  EXPECT_EQ(slow.read(answer, os::now() + 5s), 15u);
}

TEST_F(Http, AnswersBesideReadersThatFetchNothing) {
  start({{"/large", {.answer = [](const HttpRequest&) -> HttpResponse {
            return {.body = std::string(32 << 20, 'x')};
          }}},
         {"/hello", kEcho.at("/hello")}});
  std::vector<os::StreamConnection> slow;
  for (int i = 0; i < 12; ++i) {
    slow.push_back(connect());
    ASSERT_TRUE(
        slow.back().write(as_bytes("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"), os::now() + 5s));
  }
  const Timestamp before = os::now();
  EXPECT_THAT(get("/hello"), EndsWith("hi"));
  EXPECT_LT(os::now() - before, 20s);  // such a reader has a minute
  EXPECT_EQ(get("/large").size() > (32 << 20), true);
}

TEST_F(Http, AnswersAClientThatHasSentItsLastBesideOneThatHasGone) {
  start({{"/long", {.answer = [](const HttpRequest&) -> HttpResponse {
            std::string body;
            for (int i = 0; i < 20'000; ++i) body += std::to_string(i);
            return {.body = std::move(body)};
          }}}});
  for (int i = 0; i < 200; ++i) {
    constexpr std::string_view kRequest = "GET /long HTTP/1.1\r\nHost: x\r\n\r\n";
    ASSERT_TRUE(connect().write(as_bytes(kRequest), os::now() + 5s));  // and goes at once
    os::StreamConnection client = connect();
    ASSERT_TRUE(client.write(as_bytes(kRequest), os::now() + 5s));
    client.end_writing();
    std::array<std::uint8_t, 15> answer;
    ASSERT_EQ(client.read(answer, os::now() + 5s), 15u) << i;
  }
}

TEST_F(Http, AnswersAClientThatHasSentItsLast) {
  start({{"/large", {.answer = [](const HttpRequest&) -> HttpResponse {
            return {.body = std::string(32 << 20, 'x')};
          }}}});
  os::StreamConnection client = connect();
  ASSERT_TRUE(client.write(as_bytes("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"), os::now() + 5s));
  client.end_writing();
  std::size_t received = 0;
  std::vector<std::uint8_t> bytes(1 << 20);
  while (const auto count = client.read(bytes, os::now() + 10s).value_or(0)) received += count;
  EXPECT_GT(received, 32u << 20);
}

TEST_F(Http, AnswersOneRequestOfAConnection) {
  start(kEcho);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answer = send(many);
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nhi")));
  EXPECT_EQ(answer.find("HTTP", 1), answer.npos);
}

TEST_F(Http, TakesARequestByteByByte) {
  start(kEcho);
  os::StreamConnection client = connect();
  for (const char letter : std::string("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")) {
    ASSERT_TRUE(client.write(as_bytes({&letter, 1}), os::now() + 5s));
  }
  std::array<std::uint8_t, 15> answer;
  EXPECT_EQ(client.read(answer, os::now() + 5s), 15u);
}

/// A route whose handler waits an hour.
class SlowHttp : public Http {
 protected:
  void SetUp() override {
    start({{"/slow",
            {.answer = [this](const HttpRequest& request) -> HttpResponse {
               entered_.count_down();
               was_cut_off_ = !request.wait(60min);
               left_.count_down();
               return {};
             },
             .takes_time = true}}});
  }

  std::latch entered_{1};
  std::latch left_{1};
  std::atomic<bool> was_cut_off_ = false;
};

TEST_F(SlowHttp, StopsAtOnceInTheMiddleOfARequest) {
  std::jthread client([address = server_->address()] { http_get(address, "/slow"); });
  entered_.wait();
  server_.reset();
  EXPECT_TRUE(was_cut_off_);
}

TEST_F(SlowHttp, NoticesThatItsClientHasGone) {
  auto client = os::StreamConnection::connect(server_->address(), os::now() + 5s);
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->write(as_bytes("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"), os::now() + 5s));
  entered_.wait();
  client->shut_down();
  left_.wait();
  EXPECT_TRUE(was_cut_off_);
}

TEST_F(SlowHttp, StopsAtOnceBeforeARequest) {
  std::vector<os::StreamConnection> idle;
  for (int i = 0; i < 8; ++i) {
    auto client = os::StreamConnection::connect(server_->address(), os::now() + 5s);
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->write(as_bytes("GET /sl"), os::now() + 5s));
    idle.push_back(std::move(*client));
  }
  const Timestamp before = os::now();
  server_.reset();
  EXPECT_LT(os::now() - before, 1s);
}

}  // namespace
}  // namespace qdt::ops
