#include "wire/direct_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace qdt::wire {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr auto kAes = AeadAlgorithm::kAes256Gcm;
constexpr DirectId kId = {0xc0, 1, 2, 3, 4, 5, 6, 7};
constexpr HkdfSecret kSecret = {1, 2, 3};
constexpr Duration kKeepOld = 100ms;

Octets seal(DirectSealer& sealer, std::size_t bytes = 40, Timestamp now = {}) {
  const Octets payload(bytes, 0x5a);
  Octets packet(bytes + kDirectOverhead);
  EXPECT_EQ(sealer.seal(kId, payload, packet, now), packet.size());
  return packet;
}

// One direction, both ends.
struct Direction {
  explicit Direction(std::uint64_t first_counter = 0, AeadAlgorithm algorithm = kAes)
      : sealer(algorithm, kSecret, {}, first_counter), opener(algorithm, kSecret) {}

  // Nothing when it opened, else why not.
  std::optional<Drop> open(Bytes packet, Timestamp now = {}) {
    Octets out(2000);
    const auto opened = opener.open(packet, out, now, kKeepOld);
    return opened ? std::nullopt : std::optional(opened.error());
  }
  // Seals `count` packets, tells the sealer of them, and goes on with the next key.
  std::vector<Octets> seal_phase(std::size_t count) {
    std::vector<Octets> packets;
    for (std::size_t i = 0; i < count; ++i) packets.push_back(seal(sealer));
    sealer.acknowledge(sealer.next_counter() - 1);
    sealer.update_key({});
    return packets;
  }

  DirectSealer sealer;
  DirectOpener opener;
};

// The receiver's verdict on a packet `ahead` of the highest that it has.
std::optional<Drop> open_after(std::uint64_t highest, std::int64_t ahead) {
  Direction direction;
  for (std::uint64_t at = 0; at < highest; at += std::min(highest - at, std::uint64_t{1} << 31)) {
    DirectSealer hop(kAes, kSecret, {}, at);
    EXPECT_FALSE(direction.open(seal(hop)));
  }
  DirectSealer there(kAes, kSecret, {}, highest);
  EXPECT_FALSE(direction.open(seal(there)));
  DirectSealer next(kAes, kSecret, {}, highest + static_cast<std::uint64_t>(ahead));
  return direction.open(seal(next));
}

TEST(DirectPacket, OpensWhatWasSealed) {
  for (const auto algorithm : {kAes, AeadAlgorithm::kChaCha20Poly1305}) {
    Direction direction(0, algorithm);
    for (const std::size_t bytes : {0u, 1u, 16u, 1443u}) {
      const Octets packet = seal(direction.sealer, bytes);
      EXPECT_EQ(direct_id_of(packet), kId);
      Octets out(bytes);
      const auto opened = direction.opener.open(packet, out, {}, kKeepOld);
      ASSERT_TRUE(opened);
      EXPECT_TRUE(opened->is_newest);
      EXPECT_EQ(opened->bytes, bytes);
      EXPECT_EQ(out, Octets(bytes, 0x5a));
    }
    EXPECT_EQ(direction.opener.highest(), 3u);
  }
}

TEST(DirectPacket, SealsAndOpensInPlace) {
  Direction direction;
  Octets packet(100 + kDirectOverhead, 0x5a);
  const MutableBytes payload = MutableBytes(packet).subspan(kDirectHeaderBytes, 100);
  direction.sealer.seal(kId, payload, packet, {});
  EXPECT_FALSE(std::ranges::equal(payload, Octets(100, 0x5a)));
  ASSERT_TRUE(direction.opener.open(packet, payload, {}, kKeepOld));
  EXPECT_TRUE(std::ranges::equal(payload, Octets(100, 0x5a)));
}

TEST(DirectPacket, LooksLikeAShortHeader) {
  Direction direction;
  Octets first_bytes;
  Octets counters;
  for (int i = 0; i < 100; ++i) {
    const Octets packet = seal(direction.sealer);
    EXPECT_EQ(packet[0] & 0xe0, 0x40);
    first_bytes.push_back(packet[0]);
    counters.push_back(packet[9]);
  }
  EXPECT_GT(std::ranges::count_if(first_bytes, [](auto byte) { return byte != 0x43; }), 50);
  EXPECT_GT(std::ranges::count_if(counters, [](auto byte) { return byte != 0; }), 50);
}

TEST(DirectPacket, HasNoIdWhenShortOrLong) {
  Octets packet(kDirectOverhead, 0x43);
  EXPECT_TRUE(direct_id_of(packet));
  EXPECT_FALSE(direct_id_of(Bytes(packet).first(kDirectOverhead - 1)));
  EXPECT_FALSE(direct_id_of({}));
  packet[0] = 0xc3;
  EXPECT_FALSE(direct_id_of(packet));
}

TEST(DirectPacket, OpensNothingOnceABitHasChanged) {
  Direction direction;
  Octets packet = seal(direction.sealer);
  for (std::size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    packet[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_EQ(direction.open(packet), Drop::kForged) << bit;
    packet[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  EXPECT_FALSE(direction.open(packet));
}

TEST(DirectPacket, OpensNothingCutOff) {
  Direction direction;
  const Octets packet = seal(direction.sealer);
  for (std::size_t bytes = 0; bytes < packet.size(); ++bytes) {
    EXPECT_EQ(direction.open(Octets(packet.begin(), packet.begin() + std::ptrdiff_t(bytes))),
              bytes < kDirectOverhead ? Drop::kShort : Drop::kForged);
  }
  EXPECT_FALSE(direction.open(packet));
}

TEST(DirectPacket, OpensOnce) {
  Direction direction;
  const Octets first = seal(direction.sealer);
  const Octets second = seal(direction.sealer);
  EXPECT_FALSE(direction.open(second));
  EXPECT_EQ(direction.open(second), Drop::kReplayed);
  EXPECT_FALSE(direction.open(first));
  EXPECT_EQ(direction.open(first), Drop::kReplayed);
}

TEST(DirectPacket, OpensNoOtherDirectionsAndNoOtherSessions) {
  const HandshakeNonce nonce = {7};
  const auto ours = derive_direct_secrets({1}, "token", nonce, {8}, kAes);
  const auto others = {derive_direct_secrets({2}, "token", nonce, {8}, kAes).client,
                       derive_direct_secrets({1}, "Token", nonce, {8}, kAes).client,
                       derive_direct_secrets({1}, "token", nonce, {9}, kAes).client,
                       derive_direct_secrets({1}, "token", {8}, nonce, kAes).client, ours.server};
  for (const HkdfSecret& other : others) {
    DirectSealer sealer(kAes, other, {});
    DirectOpener opener(kAes, ours.client);
    Octets out(2000);
    EXPECT_EQ(opener.open(seal(sealer), out, {}, kKeepOld).error(), Drop::kForged);
  }
}

TEST(DirectPacket, ReachesBack8192Counters) {
  EXPECT_FALSE(open_after(10'000, -8191));
  EXPECT_EQ(open_after(10'000, -8192), Drop::kReplayed);
}

TEST(DirectPacket, RestoresCountersFarApart) {
  constexpr std::int64_t kHalf = std::int64_t{1} << 31;
  EXPECT_FALSE(open_after(0, kHalf));
  EXPECT_FALSE(open_after(5'000'000'000, kHalf));
  EXPECT_EQ(open_after(5'000'000'000, kHalf + 2), Drop::kForged);  // taken for one long gone
}

TEST(DirectPacket, RestoresCountersAtTheWrap) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  EXPECT_FALSE(open_after(kWrap - 1, 1));
  EXPECT_FALSE(open_after(kWrap, -1));
  EXPECT_FALSE(open_after(kWrap + 1, -8000));
  EXPECT_FALSE(open_after(2 * kWrap - 5, 5000));
}

TEST(DirectPacket, StopsBefore2To62) {
  Direction direction((std::uint64_t{1} << 62) - 1);
  EXPECT_FALSE(direction.sealer.is_exhausted());
  seal(direction.sealer);
  EXPECT_TRUE(direction.sealer.is_exhausted());
}

TEST(DirectPacketPhase, FollowsUpdates) {
  Direction direction;
  for (int i = 0; i < 5; ++i) {
    for (const Octets& packet : direction.seal_phase(3)) EXPECT_FALSE(direction.open(packet)) << i;
  }
}

TEST(DirectPacketPhase, TakesPacketsOutOfOrderAcrossAnUpdate) {
  Direction direction;
  const auto old = direction.seal_phase(4);
  const auto present = direction.seal_phase(4);
  EXPECT_FALSE(direction.open(old[0]));
  EXPECT_FALSE(direction.open(present[2]));
  EXPECT_FALSE(direction.open(old[3]));
  EXPECT_FALSE(direction.open(present[0]));
  EXPECT_FALSE(direction.open(old[1]));
  EXPECT_FALSE(direction.open(present[3]));
  EXPECT_EQ(direction.open(old[1]), Drop::kReplayed);
  EXPECT_EQ(direction.open(present[0]), Drop::kReplayed);
}

TEST(DirectPacketPhase, TakesPacketsOfTheLastTwoAfterTwoUpdatesInARow) {
  Direction direction;
  const auto oldest = direction.seal_phase(2);
  const auto old = direction.seal_phase(2);
  const auto present = direction.seal_phase(2);
  EXPECT_FALSE(direction.open(oldest[0]));
  EXPECT_FALSE(direction.open(old[1]));
  EXPECT_FALSE(direction.open(present[1]));
  EXPECT_FALSE(direction.open(old[0]));
  EXPECT_EQ(direction.open(oldest[1]), Drop::kForged);
  EXPECT_FALSE(direction.open(present[0]));
  EXPECT_FALSE(direction.open(seal(direction.sealer)));
}

TEST(DirectPacketPhase, DropsTheOneBeforeAfterItsTime) {
  Direction direction;
  const auto old = direction.seal_phase(3);
  const auto present = direction.seal_phase(1);
  EXPECT_FALSE(direction.open(old[0]));
  EXPECT_FALSE(direction.open(present[0]));
  EXPECT_FALSE(direction.open(old[1], Timestamp{} + kKeepOld - 1ns));
  EXPECT_EQ(direction.open(old[2], Timestamp{} + kKeepOld), Drop::kForged);
  EXPECT_FALSE(direction.open(seal(direction.sealer), Timestamp{} + kKeepOld));
}

TEST(DirectPacketPhase, IsNotMovedByForgedPackets) {
  Direction direction;
  const auto old = direction.seal_phase(2);
  Octets forged = seal(direction.sealer);
  forged.back() ^= 1;
  EXPECT_FALSE(direction.open(old[0]));
  EXPECT_EQ(direction.open(forged), Drop::kForged);
  EXPECT_EQ(direction.opener.highest(), 0u);
  EXPECT_FALSE(direction.open(old[1], Timestamp{} + 1h));
  forged.back() ^= 1;
  EXPECT_FALSE(direction.open(forged));
}

TEST(DirectPacketPhase, EndsAfterItsTimeOnceItWasSeen) {
  Direction direction;
  seal(direction.sealer);
  const Octets unseen = seal(direction.sealer, 40, Timestamp{} + 10min);
  EXPECT_FALSE(direction.open(unseen));
  direction.sealer.acknowledge(1);
  Octets packet = seal(direction.sealer, 40, Timestamp{} + 10min);
  DirectOpener other(kAes, kSecret);  // it has seen nothing of the phase before
  Octets out(2000);
  EXPECT_TRUE(other.open(packet, out, {}, kKeepOld));
  EXPECT_FALSE(direction.open(packet));
}

// A sender that nobody hears for two phases' time would otherwise come back with an unknown key
// under the phase bit of a known one.
TEST(DirectPacketPhase, OutlivesALongSilence) {
  Direction direction;
  EXPECT_FALSE(direction.open(seal(direction.sealer)));
  direction.sealer.acknowledge(0);
  for (int i = 1; i < 60; ++i) seal(direction.sealer, 40, Timestamp{} + i * 1min);
  EXPECT_FALSE(direction.open(seal(direction.sealer, 40, Timestamp{} + 1h)));
}

}  // namespace
}  // namespace qdt::wire
