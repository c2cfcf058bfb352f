#include "wire/key_text.h"

#include <gtest/gtest.h>

namespace qdt::wire {
namespace {

TEST(KeyText, ReadsWhatItWrites) {
  const Ed25519Seed seed{1, 2, 3};
  EXPECT_EQ(private_key_text(seed), "ed25519-private:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(parse_private_key(private_key_text(seed)), seed);
  EXPECT_EQ(parse_public_key(public_key_text(seed)), seed);
  EXPECT_EQ(parse_psk(psk_text(seed)), seed);
}

TEST(KeyText, TakesNoKeyOfAnotherKind) {
  const Ed25519Seed seed{1, 2, 3};
  EXPECT_FALSE(parse_public_key(private_key_text(seed)));
  EXPECT_FALSE(parse_private_key(public_key_text(seed)));
  EXPECT_FALSE(parse_psk(public_key_text(seed)));
  EXPECT_FALSE(parse_public_key(psk_text(seed)));
}

TEST(KeyText, ReadsAFileWithOneKey) {
  const Ed25519Seed seed{1, 2, 3};
  const std::string line = private_key_text(seed);
  EXPECT_EQ(parse_key_file(line), seed);
  EXPECT_EQ(parse_key_file("# a key\n\n" + line + "\n"), seed);
  EXPECT_EQ(parse_key_file("# a key\r\n" + line + "\r\n"), seed);
  EXPECT_FALSE(parse_key_file(""));
  EXPECT_FALSE(parse_key_file("# a key\n"));
  EXPECT_FALSE(parse_key_file(line + "\n" + line));
  EXPECT_FALSE(parse_key_file(line + "\nmore"));
  EXPECT_FALSE(parse_key_file(" " + line));
}

TEST(KeyText, RefusesWhatIsNoKey) {
  for (const std::string_view text : {"", "ed25519", "ed25519:", "ed25519:AQID", "ed25519:****",
                                      "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "ed25519: AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "ED25519:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "ed25519:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                                      "ed25519:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(parse_public_key(text)) << text;
  }
}

}  // namespace
}  // namespace qdt::wire
