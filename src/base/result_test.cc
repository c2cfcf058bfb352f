#include "base/result.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(Error, HasNoCodeUnlessSomebodyGaveIt) {
  const Result<int> none = fail("read the file: it is empty");
  EXPECT_EQ(none.error().code, ErrorCode::kOther);
  const Result<int> some = fail("end session 1: there is none", ErrorCode::kNotFound);
  EXPECT_EQ(some.error().code, ErrorCode::kNotFound);
}

TEST(Error, KeepsItsCodeWhenItIsPassedOn) {
  const Result<int> first = fail("ask the shards: no answer", ErrorCode::kTimeout);
  const Result<void> second = fail(first);
  EXPECT_EQ(second.error().code, ErrorCode::kTimeout);
}

TEST(ErrorCode, IsFoundAgainByItsName) {
  for (int number = 0; number <= static_cast<int>(ErrorCode::kIo); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    EXPECT_EQ(parse_error_code(name_of(code)), code);
  }
  EXPECT_EQ(parse_error_code("no such code"), ErrorCode::kOther);
}

}  // namespace
}  // namespace qdt
