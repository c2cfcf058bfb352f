#include "wire/session_terms.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt::wire {
namespace {

constexpr HandshakeNonce kClient{1};
constexpr HandshakeNonce kServer{2};
constexpr PresharedKey kPsk{3};

SessionTerms settle(const SessionCaps& caps, const std::optional<PresharedKey>& psk = kPsk,
                    std::uint8_t connection = 1) {
  const Exporter exporter(std::array<std::uint8_t, 32>{connection});
  return settle_terms(exporter, caps, psk, kClient, kServer);
}

TEST(SettleTerms, RegistersTheContextsOfTheCaps) {
  EXPECT_FALSE(settle({}).contexts.fragment || settle({}).contexts.control);
  EXPECT_TRUE(settle({.fragment = true}).contexts.fragment);
  EXPECT_TRUE(settle({.ping = true}).contexts.control);
  EXPECT_TRUE(settle({.close = true}).contexts.control);
}

TEST(SettleTerms, MakesKeysForWhatIsAgreedOnAlone) {
  EXPECT_FALSE(settle({}).contexts.sealed || settle({}).direct);
  EXPECT_TRUE(settle({.sealed = true}).contexts.sealed);
  EXPECT_FALSE(settle({.sealed = true}, std::nullopt).contexts.sealed);
  EXPECT_TRUE(settle({.direct = true}).direct);
  EXPECT_TRUE(settle({.direct = true}, std::nullopt).direct);
}

TEST(SettleTerms, MakesOthersForAnotherConnectionOrPsk) {
  const SessionCaps caps{.direct = true, .sealed = true};
  const SessionTerms here = settle(caps);
  const SessionTerms there = settle(caps, kPsk, 2);
  const SessionTerms other = settle(caps, PresharedKey{4});
  EXPECT_EQ(settle(caps).contexts.sealed->client.key, here.contexts.sealed->client.key);
  EXPECT_NE(there.contexts.sealed->client.key, here.contexts.sealed->client.key);
  EXPECT_NE(other.contexts.sealed->client.key, here.contexts.sealed->client.key);
  EXPECT_NE(there.direct->client, here.direct->client);
  EXPECT_NE(other.direct->client, here.direct->client);
}

}  // namespace
}  // namespace qdt::wire
