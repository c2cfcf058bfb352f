#include "wire/datagram.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace qdt::wire {
namespace {

constexpr SessionId kSession = 0x0102030405060708;

DirectionKey key(std::uint8_t fill) {
  DirectionKey key;
  key.key.fill(fill);
  key.nonce_prefix.fill(fill);
  return key;
}

std::vector<std::uint8_t> seal(DatagramSealer& sealer, std::string_view text,
                               DatagramType type = DatagramType::kData) {
  std::vector<std::uint8_t> out(text.size() + kDatagramOverhead);
  EXPECT_EQ(sealer.seal(type, {}, as_bytes(text), out), out.size());
  return out;
}

Drop refusal(DatagramOpener& opener, Bytes datagram) {
  std::array<std::uint8_t, 2048> out;
  const auto opened = opener.open(datagram, out);
  return opened ? Drop::kCount : opened.error();
}

TEST(Datagram, HeaderIsLaidOutAsDocumented) {
  std::array<std::uint8_t, 22> bytes;
  write_datagram_header(bytes, {.type = DatagramType::kPing,
                                .flags = 9,
                                .session_id = kSession,
                                .counter = 0x1112131415161718});
  const std::array<std::uint8_t, 22> expected = {'Q',  'D',  'T',  1,    2,    9,   1,    2,
                                                 3,    4,    5,    6,    7,    8,   0x11, 0x12,
                                                 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
  EXPECT_EQ(bytes, expected);
}

TEST(Datagram, OpensWhatWasSealed) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(1));
  std::array<std::uint8_t, 64> out;
  const auto opened = opener.open(seal(sealer, "hello", DatagramType::kPing), out);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->type, DatagramType::kPing);
  EXPECT_EQ(as_text(Bytes(out).first(opened->bytes)), "hello");
}

TEST(Datagram, JoinsPrefixAndBody) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(1));
  std::array<std::uint8_t, 64> sealed;
  std::array<std::uint8_t, 64> out;
  const std::size_t bytes =
      sealer.seal(DatagramType::kFragment, as_bytes("head"), as_bytes("body"), sealed);
  const auto opened = opener.open(Bytes(sealed).first(bytes), out);
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(Bytes(out).first(opened->bytes)), "headbody");
}

TEST(Datagram, CountsUpWhateverTheType) {
  DatagramSealer sealer(kSession, key(1));
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto type = static_cast<DatagramType>(i);
    EXPECT_EQ(parse_datagram_header(seal(sealer, "x", type))->counter, i);
  }
}

TEST(Datagram, CarriesAnEmptyPayload) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(1));
  std::array<std::uint8_t, 1> out;
  const auto opened = opener.open(seal(sealer, "", DatagramType::kClose), out);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->bytes, 0u);
}

TEST(Datagram, RefusesEachFaultByName) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(1));
  const auto good = seal(sealer, "hello");
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_EQ(refusal(opener, Bytes(good).first(37)), Drop::kShort);
  EXPECT_EQ(refusal(opener, with(0, 'q')), Drop::kBadMagic);
  EXPECT_EQ(refusal(opener, with(3, 2)), Drop::kBadVersion);
  EXPECT_EQ(refusal(opener, with(13, 9)), Drop::kWrongSession);
  EXPECT_EQ(refusal(opener, with(4, 1)), Drop::kForged);   // the type is authenticated
  EXPECT_EQ(refusal(opener, with(5, 1)), Drop::kForged);   // so are the flags
  EXPECT_EQ(refusal(opener, with(22, 0)), Drop::kForged);  // and the ciphertext
  EXPECT_EQ(refusal(opener, good), Drop::kCount);
  EXPECT_EQ(refusal(opener, good), Drop::kReplayed);
}

TEST(Datagram, IgnoresFlagsThatAreAuthentic) {
  // A peer of a later version may set them: seal by hand with flags 0xff.
  const DirectionKey direction = key(1);
  std::array<std::uint8_t, kDatagramOverhead + 2> bytes;
  write_datagram_header(bytes, {.flags = 0xff, .session_id = kSession, .counter = 7});
  Aead(direction.algorithm, direction.key)
      .seal(direction.nonce(7), Bytes(bytes).first(22), as_bytes("hi"),
            MutableBytes(bytes).subspan(22));
  DatagramOpener opener(kSession, direction);
  EXPECT_EQ(refusal(opener, bytes), Drop::kCount);
}

TEST(Datagram, AForgedCounterDoesNotMoveTheWindow) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(1));
  const auto first = seal(sealer, "first");
  auto forged = seal(sealer, "second");
  store_be<std::uint64_t>(&forged[14], 1'000'000);
  EXPECT_EQ(refusal(opener, forged), Drop::kForged);
  EXPECT_EQ(refusal(opener, first), Drop::kCount);
}

TEST(Datagram, AnotherDirectionsKeyDoesNotFit) {
  DatagramSealer sealer(kSession, key(1));
  DatagramOpener opener(kSession, key(2));
  EXPECT_EQ(refusal(opener, seal(sealer, "hello")), Drop::kForged);
}

TEST(Datagram, SealerStopsAtTheLastCounter) {
  DatagramSealer sealer(kSession, key(1), ~std::uint64_t{0} - 1);
  seal(sealer, "x");
  EXPECT_FALSE(sealer.is_exhausted());
  seal(sealer, "x");
  EXPECT_TRUE(sealer.is_exhausted());
}

}  // namespace
}  // namespace qdt::wire
