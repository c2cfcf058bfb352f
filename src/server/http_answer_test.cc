#include "server/http_answer.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

using State = HttpAnswer::State;

State read(HttpAnswer& answer, std::string_view text) {
  for (const char& letter : text) answer.take(as_bytes({&letter, 1}));
  return answer.take({});
}

State state_of(std::string_view text, const HttpAnswer::Limits& limits = {}) {
  HttpAnswer answer(/*is_head=*/false, limits);
  return read(answer, text);
}

TEST(HttpAnswer, HasStatusFieldsAndBody) {
  HttpAnswer answer(/*is_head=*/false);
  EXPECT_EQ(read(answer,
                 "HTTP/1.1 404 Not Found\r\nServer: x\r\nConnection: close, X-Hop\r\n"
                 "X-Hop: y\r\n"
                 "X-A:  b c \r\nContent-Length: 3\r\n\r\nabc"),
            State::kWhole);
  const quic::Response response = std::move(answer).response();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers,
            (quic::HeaderFields{{"server", "x"}, {"x-a", "b c"}, {"content-length", "3"}}));
  EXPECT_EQ(response.body, "abc");
}

TEST(HttpAnswer, JoinsChunks) {
  HttpAnswer answer(/*is_head=*/false);
  EXPECT_EQ(read(answer,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n"),
            State::kWhole);
  const quic::Response response = std::move(answer).response();
  EXPECT_EQ(response.body, "abcde");
  EXPECT_EQ(response.headers, (quic::HeaderFields{{"content-length", "5"}}));
}

TEST(HttpAnswer, GoesOnUntilTheEndWithoutALength) {
  HttpAnswer answer(/*is_head=*/false);
  EXPECT_EQ(read(answer, "HTTP/1.0 200\r\n\r\nabc"), State::kMore);
  EXPECT_EQ(answer.end(), State::kWhole);
  EXPECT_EQ(std::move(answer).response().body, "abc");
}

TEST(HttpAnswer, OfHeadHasTheLengthAlone) {
  HttpAnswer answer(/*is_head=*/true);
  EXPECT_EQ(read(answer, "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"), State::kWhole);
  const quic::Response response = std::move(answer).response();
  EXPECT_EQ(response.headers, (quic::HeaderFields{{"content-length", "300"}}));
  EXPECT_EQ(response.body, "");
}

TEST(HttpAnswer, SkipsInterimAnswers) {
  HttpAnswer answer(/*is_head=*/false);
  EXPECT_EQ(read(answer,
                 "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
            State::kWhole);
  const quic::Response response = std::move(answer).response();
  EXPECT_EQ(response.status, 304);
  EXPECT_TRUE(response.headers.empty());
}

TEST(HttpAnswer, IsBadWhenItIsNoHttp) {
  for (const char* text :
       {"SSH-2.0-OpenSSH\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 99 x\r\n", "HTTP/1.1 101 x\r\n",
        "HTTP/1.1 2000 x\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n",
        "HTTP/1.1 200 OK\r\na: \x01\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    EXPECT_EQ(state_of(text), State::kBad) << text;
  }
}

TEST(HttpAnswer, IsBadWhenItEndsEarly) {
  for (const char* text :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"}) {
    HttpAnswer answer(/*is_head=*/false);
    EXPECT_EQ(read(answer, text), State::kMore) << text;
    EXPECT_EQ(answer.end(), State::kBad) << text;
  }
}

TEST(HttpAnswer, IsBounded) {
  const HttpAnswer::Limits limits{.header_bytes = 40, .body_bytes = 3};
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\n\r\nabc", limits), State::kMore);
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\n\r\nabcd", limits), State::kBad);
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", limits), State::kBad);
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\na: 0123456789012345678901234", limits), State::kBad);
}

}  // namespace
}  // namespace qdt::server
