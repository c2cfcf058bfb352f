#include "wire/exporter.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "wire/hex_fixture.h"

namespace qdt::wire {
namespace {

using Octets = std::vector<std::uint8_t>;

// 00 01 02 and so on.
Exporter counting(std::size_t bytes) {
  Octets secret(bytes);
  std::iota(secret.begin(), secret.end(), std::uint8_t{0});
  return Exporter(secret);
}

Octets concealed(const Exporter& exporter, std::string_view context) {
  Octets out(48);
  exporter.derive("EXPORTER-HTTP-Concealed-Authentication", as_bytes(context), out);
  return out;
}

// Answers by Python's hmac and hashlib.
TEST(Exporter, DerivesWithSha256) {
  const Exporter exporter = counting(32);
  EXPECT_EQ(
      exporter.derive("EXPORTER-qdt-direct-v1"),
      from_hex<HkdfSecret>("c015e1b91c9864a8aae8060d65ddf3bbbb6164e5bc3659ed6f54cc2e2d6f532f"));
  EXPECT_EQ(concealed(exporter, "context"),
            from_hex("cf10f26effaa8c67afdc41e58954398546597e2eba16a5d27095fb55ed9a0290"
                     "9e18d1acb6ebf40b12caa54ff3c4eff6"));
}

TEST(Exporter, DerivesWithSha384) {
  const Exporter exporter = counting(48);
  EXPECT_EQ(
      exporter.derive("EXPORTER-qdt-direct-v1"),
      from_hex<HkdfSecret>("f8016859987fcb935f2f6237b2fd5aa378000263dfb8e0ad2f996c4c5a472a87"));
  EXPECT_EQ(concealed(exporter, "context"),
            from_hex("aa299b95362a76b002195988c0744f5e92c7248fbf3ae11fdce98aff76ca0c0b"
                     "da398961d87839bed88bb17916137fa8"));
}

TEST(Exporter, TakesItsSecretAlong) {
  Exporter from = counting(32);
  const Exporter to = std::move(from);
  EXPECT_FALSE(from.has_secret());
  EXPECT_EQ(concealed(to, "context"), concealed(counting(32), "context"));
}

}  // namespace
}  // namespace qdt::wire
