#include "wire/ed25519.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace qdt::wire {
namespace {

const Ed25519Key& key_of(std::uint8_t number) {
  static const std::array<Ed25519Key, 2> keys = [] {
    Ed25519Seed one{};
    Ed25519Seed two{};
    one.fill(1);
    two.fill(2);
    return std::array{Ed25519Key(one), Ed25519Key(two)};
  }();
  return keys[number];
}

constexpr Ed25519PublicKey kOfOrder8 = {
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};

TEST(Ed25519, SignsTheFirstMessageOfRfc8032) {
  const Ed25519Seed seed = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                            0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                            0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  const Ed25519Key key(seed);
  EXPECT_EQ(key.public_key()[0], 0xd7);
  EXPECT_EQ(key.public_key()[31], 0x1a);
  const Ed25519Signature signature = key.sign({});
  EXPECT_EQ(signature[0], 0xe5);
  EXPECT_EQ(signature[63], 0x0b);
  EXPECT_TRUE(verify_ed25519(key.public_key(), {}, signature));
}

TEST(Ed25519, VerifiesOnlyTheKeysOwnSignatureOfTheMessage) {
  const Bytes message = as_bytes("message");
  const Ed25519Signature signature = key_of(0).sign(message);
  EXPECT_TRUE(verify_ed25519(key_of(0).public_key(), message, signature));
  EXPECT_FALSE(verify_ed25519(key_of(1).public_key(), message, signature));
  EXPECT_FALSE(verify_ed25519(key_of(0).public_key(), as_bytes("messagf"), signature));
  EXPECT_FALSE(verify_ed25519(key_of(0).public_key(), {}, signature));
}

TEST(Ed25519, RefusesASignatureWithAnyByteChanged) {
  const Bytes message = as_bytes("message");
  for (std::size_t i = 0; i < kEd25519SignatureBytes; ++i) {
    Ed25519Signature changed = key_of(0).sign(message);
    changed[i] ^= 0x40;
    EXPECT_FALSE(verify_ed25519(key_of(0).public_key(), message, changed)) << i;
  }
}

TEST(Ed25519, RefusesKeysThatAreNoPoint) {
  Ed25519PublicKey none;
  none.fill(0xff);
  EXPECT_FALSE(verify_ed25519(none, as_bytes("message"), key_of(0).sign(as_bytes("message"))));
}

// S = 0 and R = A satisfy the equation of RFC 8032 section 5.1.7 for any message when A is the
// neutral point.
TEST(Ed25519, RefusesKeysForWhichAnybodySigns) {
  const Ed25519Signature signature{1};
  EXPECT_FALSE(verify_ed25519(Ed25519PublicKey{1}, as_bytes("message"), signature));
  // For the other points of small order one message in two, four or eight will do.
  Ed25519PublicKey last;
  last.fill(0xff);
  last[0] = 0xec;
  last[31] = 0x7f;
  Ed25519PublicKey first_again = last;
  first_again[0] = 0xee;
  Ed25519PublicKey negative_zero{};
  negative_zero[31] = 0x80;
  for (const Ed25519PublicKey& key :
       {Ed25519PublicKey{}, negative_zero, last, first_again, kOfOrder8}) {
    for (int i = 0; i < 64; ++i) {
      EXPECT_FALSE(verify_ed25519(key, as_bytes(std::to_string(i)), signature)) << i;
    }
  }
}

TEST(Ed25519, SignsAfterAMove) {
  Ed25519Key key(Ed25519Seed{7});
  const Ed25519Signature before = key.sign(as_bytes("message"));
  const Ed25519Key moved = std::move(key);
  EXPECT_EQ(moved.sign(as_bytes("message")), before);
}

}  // namespace
}  // namespace qdt::wire
