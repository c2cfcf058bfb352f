#include "wire/hkdf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "wire/hex_fixture.h"

namespace qdt::wire {
namespace {

// 0x`from` to 0x`last`, one after the other.
Octets range(int from, int last) {
  Octets bytes;
  for (int i = from; i <= last; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

struct Case {
  const char* source;
  Octets secret, salt, info;
  std::string extracted, expanded;
};

const Case kCases[] = {
    {"RFC 5869 section A.1", Octets(22, 0x0b), range(0x00, 0x0c), range(0xf0, 0xf9),
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"RFC 5869 section A.2", range(0x00, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff),
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590"
     "e"
     "09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"RFC 5869 section A.3",
     Octets(22, 0x0b),
     {},
     {},
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

TEST(Hkdf, AnswersAsPublished) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.source);
    const HkdfSecret extracted = hkdf_extract(test.salt, test.secret);
    EXPECT_TRUE(std::ranges::equal(extracted, from_hex(test.extracted)));
    Octets expanded(test.expanded.size() / 2);
    hkdf_expand(extracted, as_text(test.info), expanded);
    EXPECT_EQ(expanded, from_hex(test.expanded));
  }
}

TEST(Hkdf, ExpandsLabelsAsPublished) {
  // RFC 9001 section A.1.
  const HkdfSecret initial = hkdf_extract(from_hex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
                                          from_hex("8394c8f03e515708"));
  HkdfSecret client;
  hkdf_expand_label(initial, "client in", client);
  EXPECT_TRUE(std::ranges::equal(
      client, from_hex("c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea")));
  Octets key(16);
  Octets iv(12);
  hkdf_expand_label(client, "quic key", key);
  hkdf_expand_label(client, "quic iv", iv);
  EXPECT_EQ(key, from_hex("1f369613dd76d5467730efcbe3b1a22d"));
  EXPECT_EQ(iv, from_hex("fa044b2f42a3fd3b46fb255c"));
}

TEST(Wipe, LeavesZeros) {
  Octets secret(40, 0x5a);
  wipe(MutableBytes(secret).first(39));
  EXPECT_EQ(std::ranges::count(secret, 0), 39);
  EXPECT_EQ(secret.back(), 0x5a);
}

}  // namespace
}  // namespace qdt::wire
