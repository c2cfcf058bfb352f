#include "base/ascii.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

namespace qdt {
namespace {

TEST(Ascii, KnowsItsOwnLettersAlone) {
  int digits = 0;
  int letters = 0;
  int hex_digits = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char letter = static_cast<char>(byte);
    digits += is_digit(letter) ? 1 : 0;
    letters += is_alpha(letter) ? 1 : 0;
    hex_digits += hex_digit(letter) ? 1 : 0;
    EXPECT_EQ(to_lower(letter) != letter, is_upper(letter)) << byte;
  }
  EXPECT_EQ(digits, 10);
  EXPECT_EQ(letters, 52);
  EXPECT_EQ(hex_digits, 22);
  EXPECT_EQ(to_lower('Z'), 'z');
  EXPECT_EQ(hex_digit('f'), 15);
  EXPECT_EQ(hex_digit('A'), 10);
}

TEST(Ascii, AppendsHexadecimalDigits) {
  std::string text = "0x";
  append_hex(text, std::array<std::uint8_t, 3>{0x00, 0x9a, 0xff});
  EXPECT_EQ(text, "0x009aff");
}

}  // namespace
}  // namespace qdt
