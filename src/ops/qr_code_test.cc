#include "ops/qr_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace qdt::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kLink =
    "qdt://vpn.example.org#anna?s=" + std::string(43, 'A') + "&e=" + std::string(22, 'B');

TEST(QrCode, HasAMarginAndItsThreeEyes) {
  const auto code = QrCode::of(kLink);
  ASSERT_TRUE(code);
  const std::size_t last = code->size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    EXPECT_FALSE(code->is_dark(i, 0) || code->is_dark(0, i) || code->is_dark(i, 3) ||
                 code->is_dark(i, last) || code->is_dark(last, i));
  }
  for (const auto& [x, y] :
       {std::pair<std::size_t, std::size_t>{4, 4}, {last - 10, 4}, {4, last - 10}}) {
    EXPECT_TRUE(code->is_dark(x, y) && code->is_dark(x + 6, y + 6) && code->is_dark(x + 3, y + 3));
    EXPECT_FALSE(code->is_dark(x + 1, y + 1));
  }
}

TEST(QrCode, FitsATerminalOfEightyColumns) {
  const auto code = QrCode::of(kLink);
  ASSERT_TRUE(code);
  EXPECT_LE(code->size(), 80u);
  const std::string text = code->to_text(/*has_colours=*/false);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), (code->size() + 1) / 2);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(code->to_text(/*has_colours=*/true), StartsWith("\x1b[30;107m "));
}

TEST(QrCode, IsAnImage) {
  const auto code = QrCode::of("x");
  ASSERT_TRUE(code);
  EXPECT_THAT(code->to_svg(), HasSubstr("viewBox=\"0 0 29 29\""));
  const auto png = code->to_png();
  ASSERT_TRUE(png);
  EXPECT_THAT(*png, StartsWith("\x89PNG\r\n"));
}

TEST(QrCode, HasABound) {
  EXPECT_FALSE(QrCode::of(""));
  EXPECT_TRUE(QrCode::of(std::string(2953, 'x')));
  EXPECT_FALSE(QrCode::of(std::string(2954, 'x')));
}

}  // namespace
}  // namespace qdt::ops
