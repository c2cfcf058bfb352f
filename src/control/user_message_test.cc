#include "control/user_message.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::control {
namespace {

TEST(Enrolment, TravelsBetweenProcesses) {
  const users::Enrolment one{.ticket = 7, .key = {1, 2}, .name = "laptop"};
  const std::string bytes = encode_enrolment(one);
  const auto read = decode_enrolment(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->ticket, 7u);
  EXPECT_EQ(read->key, one.key);
  EXPECT_EQ(read->name, "laptop");
  EXPECT_FALSE(decode_enrolment(bytes.substr(1)));
  EXPECT_FALSE(decode_enrolment(bytes + "x"));
}

TEST(UserRequest, TravelsBetweenProcesses) {
  const auto request = decode_request(encode_request(
      {.method = "POST", .path = "/v1/users/a\nroot\n", .body = "{\n}\n", .who = "user 7"}));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->path, "/v1/users/a\nroot\n");
  EXPECT_EQ(request->who, "user 7");
  EXPECT_EQ(request->body, "{\n}\n");
  EXPECT_EQ(encode_request({.body = std::string(70'000, 'x')}), "");
  EXPECT_FALSE(decode_request(""));
  EXPECT_EQ(decode_response(encode_response({.status = 404, .body = "x\ny"})).body, "x\ny");
  EXPECT_EQ(decode_response("").status, 503);
}

}  // namespace
}  // namespace qdt::control
