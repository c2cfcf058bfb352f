#include "ops/http_input.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::ops {
namespace {

// Whole or byte by byte, the same comes out; nothing before the last byte.
bool ends_with_its_last_byte(const std::string& text) {
  HttpInput at_once(1000);
  at_once.append(text);
  HttpInput bytes(1000);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (bytes.is_complete()) return false;
    bytes.append(text.substr(i, 1));
  }
  return at_once.is_complete() && bytes.is_complete();
}

TEST(HttpInput, EndsWithTheEmptyLine) {
  EXPECT_TRUE(ends_with_its_last_byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(ends_with_its_last_byte("\r\n\r\n"));
}

TEST(HttpInput, EndsWithItsBody) {
  EXPECT_TRUE(ends_with_its_last_byte("POST / HTTP/1.1\r\ncontent-LENGTH: \t4 \r\n\r\nbody"));
}

TEST(HttpInput, EndsWithItsLastChunk) {
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(ends_with_its_last_byte(head + "0\r\n\r\n"));
  EXPECT_TRUE(ends_with_its_last_byte(head + "a;x=y\r\n0\r\n\r\n56789\r\n0\r\na: b\r\n\r\n"));
}

TEST(HttpInput, WaitsForNoBodyThatIsRefused) {
  for (const char* length : {"1001", "18446744073709551615", "99999999999999999999999"}) {
    HttpInput input(1000);
    input.append("POST / HTTP/1.1\r\nContent-Length: " + std::string(length) + "\r\n\r\n");
    EXPECT_TRUE(input.is_complete()) << length;
  }
  HttpInput chunks(1000);
  chunks.append("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n");
  EXPECT_TRUE(chunks.is_complete());
}

TEST(HttpInput, WaitsForNoBodyWhereThereAreNone) {
  HttpInput input(0);
  input.append("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n");
  EXPECT_TRUE(input.is_complete());
}

TEST(HttpInput, HasABoundedBody) {
  HttpInput input(1000);
  input.append("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100 && !input.is_complete(); ++i) input.append("1\r\nx\r\n1\r\nx\r\n");
  EXPECT_TRUE(input.is_complete());
  EXPECT_LT(input.text().size(), 1200u);
}

TEST(HttpInput, HasABoundedHead) {
  HttpInput input(1000);
  input.append(std::string(HttpInput::kMaxHeadBytes, 'x'));
  EXPECT_FALSE(input.is_too_long());
  input.append("x");
  EXPECT_TRUE(input.is_too_long());
}

TEST(HttpInput, TakesNonsenseForWhole) {
  HttpInput input(1000);
  input.append("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  EXPECT_TRUE(input.is_complete());
}

}  // namespace
}  // namespace qdt::ops
