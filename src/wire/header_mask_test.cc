#include "wire/header_mask.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace qdt::wire {
namespace {

using Block = std::array<std::uint8_t, 16>;
using Mask = std::array<std::uint8_t, HeaderMask::kBytes>;

std::vector<AeadProvider> providers() {
  std::vector<AeadProvider> found = {AeadProvider::kGnuTls};
  if (best_aead_provider() != AeadProvider::kGnuTls) found.push_back(best_aead_provider());
  return found;
}

// RFC 9001 sections A.1 to A.3: key, sample, mask.
constexpr Block kClientKey = {0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10,
                              0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2};
constexpr Block kClientSample = {0xd1, 0xb1, 0xc9, 0x8d, 0xd7, 0x68, 0x9f, 0xb8,
                                 0xec, 0x11, 0xd2, 0x42, 0xb1, 0x23, 0xdc, 0x9b};
constexpr Mask kClientMask = {0x43, 0x7b, 0x9a, 0xec, 0x36};
constexpr Block kServerKey = {0xc2, 0x06, 0xb8, 0xd9, 0xb9, 0xf0, 0xf3, 0x76,
                              0x44, 0x43, 0x0b, 0x49, 0x0e, 0xea, 0xa3, 0x14};
constexpr Block kServerSample = {0x2c, 0xd0, 0x99, 0x1c, 0xd2, 0x5b, 0x0a, 0xac,
                                 0x40, 0x6a, 0x58, 0x16, 0xb6, 0x39, 0x41, 0x00};
constexpr Mask kServerMask = {0x2e, 0xc0, 0xd8, 0x35, 0x6a};

TEST(HeaderMask, AnswersAsPublished) {
  for (const AeadProvider provider : providers()) {
    HeaderMask client(kClientKey, provider);
    EXPECT_EQ(client.of(kClientSample), kClientMask);
    EXPECT_EQ(client.of(kClientSample), kClientMask);  // nothing is left of the time before
    HeaderMask server(kServerKey, provider);
    EXPECT_EQ(server.of(kServerSample), kServerMask);
  }
}

TEST(HeaderMask, ProvidersAgreeOnRandomSamples) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  HeaderMask ours(kClientKey);
  HeaderMask theirs(kClientKey, AeadProvider::kGnuTls);
  for (int i = 0; i < 1000; ++i) {
    Block sample;
    for (auto& byte : sample) byte = static_cast<std::uint8_t>(random());
    ASSERT_EQ(ours.of(sample), theirs.of(sample)) << i;
  }
}

}  // namespace
}  // namespace qdt::wire
