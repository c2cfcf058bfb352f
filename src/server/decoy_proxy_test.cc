#include "server/decoy_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace qdt::server {
namespace {

using testing::HasSubstr;
using testing::Not;

const IpAddress kVisitor = IpAddress::v4(0xc0000201);

quic::Message request(const std::string& method, const std::string& path,
                      const quic::HeaderFields& headers = {},
                      const std::string& authority = "site.test") {
  quic::Message message;
  message.method = method;
  message.authority = authority;
  message.path = path;
  message.headers = headers;
  return message;
}

TEST(ToHttp1, SaysWhatWasAsked) {
  EXPECT_EQ(to_http1(request("GET", "/a?b", {{"accept", "x"}, {"cookie", "a"}, {"cookie", "b"}}),
                     kVisitor),
            "GET /a?b HTTP/1.1\r\nhost: site.test\r\naccept: x\r\ncookie: a; b\r\n"
            "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\nconnection: close\r\n\r\n");
}

TEST(ToHttp1, KeepsTheTokenAndWhatIsOfTheConnection) {
  const auto text = to_http1(request("POST", "/connect",
                                     {{"x-qdt-token", "secret"},
                                      {"content-length", "9"},
                                      {"te", "trailers"},
                                      {"x-forwarded-for", "10.0.0.1"}}),
                             kVisitor);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, Not(HasSubstr("secret")));
  EXPECT_THAT(*text, Not(HasSubstr("trailers")));
  EXPECT_THAT(*text, Not(HasSubstr("10.0.0.1")));
  EXPECT_THAT(*text, HasSubstr("content-length: 0\r\n"));
}

TEST(ToHttp1, RefusesWhatCouldBeReadOtherwise) {
  EXPECT_FALSE(to_http1(request("GET", "/a b"), kVisitor));
  EXPECT_FALSE(to_http1(request("GET", "/a\r\nb"), kVisitor));
  EXPECT_FALSE(to_http1(request("GET", "http://other/"), kVisitor));
  EXPECT_FALSE(to_http1(request("GET ", "/"), kVisitor));
  EXPECT_FALSE(to_http1(request("", "/"), kVisitor));
  EXPECT_FALSE(to_http1(request("GET", "/", {}, "a b"), kVisitor));
  EXPECT_FALSE(to_http1(request("GET", "/", {}, ""), kVisitor));
}

// Waits for the answer of a web server that accepts and says `answer`.
quic::Response ask(const std::string& method, std::string_view answer,
                   const DecoyProxy::Options& options = {.timeout = 2s}) {
  auto listener = os::StreamListener::open({IpAddress::v4(0x7f000001), 0});
  std::thread server([&] {
    auto connection = listener->accept();
    while (!connection || !*connection) connection = listener->accept();
    std::array<std::uint8_t, 4096> asked;
    if (!(*connection)->read(asked, kNever)) return;
    (*connection)->write(as_bytes(answer), kNever);
  });
  std::promise<quic::Response> promise;
  DecoyProxy proxy(options);
  proxy.run();
  proxy.ask(listener->address(), request(method, "/"), kVisitor,
            [&](quic::Response response) { promise.set_value(std::move(response)); });
  quic::Response response = promise.get_future().get();
  server.join();
  return response;
}

TEST(DecoyProxy, BringsTheAnswer) {
  const quic::Response response =
      ask("GET", "HTTP/1.1 200 OK\r\ndate: then\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers, (quic::HeaderFields{{"date", "then"}, {"content-length", "2"}}));
  ASSERT_TRUE(response.page);
  EXPECT_EQ(*response.page, "ok");
}

TEST(DecoyProxy, HasTheStatusOfAProxyForAFailure) {
  EXPECT_EQ(ask("GET", "SSH-2.0\r\n").status, 502);
  EXPECT_FALSE(ask("HEAD", "SSH-2.0\r\n").page);
  EXPECT_EQ(
      ask("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", {.max_held_bytes = 1}).status,
      503);
}

TEST(DecoyProxy, RefusesMoreThanMayWait) {
  DecoyProxy proxy({.threads = 1, .max_waiting = 0});
  int status = 0;
  proxy.ask({IpAddress::v4(0x7f000001), 9}, request("GET", "/"), kVisitor,
            [&](const quic::Response& response) { status = response.status; });
  EXPECT_EQ(status, 503);
}

}  // namespace
}  // namespace qdt::server
