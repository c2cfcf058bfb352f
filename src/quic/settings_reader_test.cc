#include "quic/settings_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "wire/hex_fixture.h"

namespace qdt::quic {
namespace {

using wire::from_hex;

bool takes_extended_connect(const std::string& hex) {
  SettingsReader at_once;
  SettingsReader by_the_byte;
  const auto bytes = from_hex(hex);
  at_once.receive(bytes);
  for (const std::uint8_t& byte : bytes) by_the_byte.receive({&byte, 1});
  EXPECT_EQ(at_once.takes_extended_connect(), by_the_byte.takes_extended_connect());
  return at_once.takes_extended_connect();
}

// Stream type, frame type, length, then pairs.
TEST(SettingsReader, FindsTheSettingAmongOthers) {
  EXPECT_TRUE(takes_extended_connect("0004020801"));
  EXPECT_TRUE(takes_extended_connect("00040733010801068100"));
}

TEST(SettingsReader, TakesNothingElseForIt) {
  EXPECT_FALSE(takes_extended_connect("000400"));
  EXPECT_FALSE(takes_extended_connect("0004020800"));
  EXPECT_FALSE(takes_extended_connect("0004020802"));
  EXPECT_FALSE(takes_extended_connect("0004023301"));
  EXPECT_FALSE(takes_extended_connect("0204020801")) << "the QPACK encoder's stream";
  EXPECT_FALSE(takes_extended_connect("2104020801")) << "a stream of a reserved type";
  EXPECT_FALSE(takes_extended_connect("0007020801")) << "GOAWAY";
  EXPECT_FALSE(takes_extended_connect("00040004020801")) << "a second frame";
  EXPECT_FALSE(takes_extended_connect("00040233010801")) << "behind the frame";
}

TEST(SettingsReader, ReadsLongForms) {
  EXPECT_TRUE(takes_extended_connect("400080000004c00000000000000a4008c000000000000001"));
}

// Reserved settings (RFC 9114 section 7.2.4.1) have IDs 0x1f * N + 0x21 and any value.
TEST(SettingsReader, IsNotFooledByReservedSettings) {
  EXPECT_FALSE(takes_extended_connect("00040421083301"));
  EXPECT_FALSE(takes_extended_connect("0004054040080133"));
  EXPECT_TRUE(takes_extended_connect("000412c000000801080108c0000008010801080801"));
}

TEST(SettingsReader, AnIntegerThatLeavesItsFrameCountsForNothing) {
  EXPECT_FALSE(takes_extended_connect("000402084001"));
  EXPECT_FALSE(takes_extended_connect("0004010801"));
}

}  // namespace
}  // namespace qdt::quic
