#include "wire/segmenter.h"

#include <gtest/gtest.h>

#include "wire/super_packet_fixture.h"

namespace qdt::wire {
namespace {

std::mt19937_64 random_of(std::uint64_t seed) {
  return std::mt19937_64(seed);
}

std::optional<Drop> begin(Packet& super, const Offload& offload) {
  return Segmenter().begin({super, offload});
}

TEST(Segmenter, CutsTcpWithSequenceNumbersAndIdentifications) {
  auto random = random_of(1);
  const PacketShape shape{.id = 0xfffe, .sequence = 0xffffff00, .payload_bytes = 450};
  const Packet super = make_unfinished(shape, random);
  const auto packets = cut(super, offload_of(shape, 200));
  ASSERT_EQ(packets.size(), 3u);
  const std::uint16_t ids[] = {0xfffe, 0xffff, 0};
  const std::uint32_t sequences[] = {0xffffff00, 0xffffffc8, 0x90};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_valid(packets[i])) << i;
    EXPECT_EQ(packets[i].size(), i < 2 ? 240u : 90u);
    EXPECT_EQ(load_be<std::uint16_t>(&packets[i][4]), ids[i]);
    EXPECT_EQ(load_be<std::uint32_t>(&packets[i][24]), sequences[i]);
  }
}

TEST(Segmenter, LeavesCwrToTheFirstAndFinAndPshToTheLast) {
  auto random = random_of(2);
  const PacketShape shape{.tcp_flags = 0xd9, .payload_bytes = 300};
  const auto packets = cut(make_unfinished(shape, random), offload_of(shape, 100));
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0][33], 0xd0);
  EXPECT_EQ(packets[1][33], 0x50);
  EXPECT_EQ(packets[2][33], 0x59);
}

TEST(Segmenter, CutsUdpWithLengths) {
  auto random = random_of(3);
  const PacketShape shape{
      .is_tcp = false, .is_v6 = true, .ip_option_bytes = 16, .payload_bytes = 2500};
  const auto packets = cut(make_unfinished(shape, random), offload_of(shape, 1200));
  ASSERT_EQ(packets.size(), 3u);
  for (const Packet& packet : packets) EXPECT_TRUE(is_valid(packet));
  EXPECT_EQ(load_be<std::uint16_t>(&packets[0][60]), 1208);
  EXPECT_EQ(load_be<std::uint16_t>(&packets[2][60]), 108);
}

TEST(Segmenter, CutsEveryShapeIntoValidPackets) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    auto random = random_of(seed);
    PacketShape shape = random_shape(random);
    shape.payload_bytes = random() % (kMaxPacketBytes - shape.header_bytes());
    const std::size_t segment_bytes = 1 + shape.payload_bytes / (1 + random() % 200);
    const Packet super = make_unfinished(shape, random);
    Packet payloads;
    for (const Packet& packet : cut(super, offload_of(shape, segment_bytes))) {
      ASSERT_TRUE(is_valid(packet));
      payloads.insert(payloads.end(), packet.begin() + static_cast<long>(shape.header_bytes()),
                      packet.end());
    }
    ASSERT_EQ(payloads,
              Packet(super.begin() + static_cast<long>(shape.header_bytes()), super.end()));
  }
}

TEST(Segmenter, GoesOnWhereABatchWasFull) {
  auto random = random_of(4);
  const PacketShape shape{.payload_bytes = 1000};
  EXPECT_EQ(cut(make_unfinished(shape, random), offload_of(shape, 2)).size(), 500u);
}

TEST(Segmenter, FinishesAChecksum) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    auto random = random_of(seed);
    PacketShape shape = random_shape(random);
    shape.payload_bytes = random() % 200;
    Offload offload = offload_of(shape, 0);
    offload.kind = Offload::Kind::kNone;
    const auto packets = cut(make_unfinished(shape, random), offload);
    ASSERT_EQ(packets.size(), 1u);
    ASSERT_TRUE(is_valid(packets[0])) << "seed " << seed;
  }
}

TEST(Segmenter, PassesAPacketThatNeedsNothing) {
  const Packet packet = {0x45, 1, 2, 3};
  EXPECT_EQ(cut(packet, {}), std::vector<Packet>{packet});
}

TEST(Segmenter, RefusesOffloadsThatLie) {
  auto random = random_of(5);
  const PacketShape shape{.payload_bytes = 300};
  Packet super = make_unfinished(shape, random);
  const Offload good = offload_of(shape, 100);
  const auto with = [&](auto change) {
    Offload offload = good;
    change(offload);
    return begin(super, offload);
  };
  EXPECT_EQ(with([](Offload&) {}), std::nullopt);
  EXPECT_EQ(with([](Offload& o) { o.segment_bytes = 0; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.needs_checksum = false; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.checksum_start = 24; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.checksum_start = 65535; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.checksum_offset = 6; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.kind = Offload::Kind::kTcp6; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.kind = Offload::Kind::kUdp; }), Drop::kMalformed);
  EXPECT_EQ(with([](Offload& o) { o.kind = Offload::Kind::kUnknown; }), Drop::kMalformed);
}

TEST(Segmenter, RefusesAChecksumOutsideThePacket) {
  auto random = random_of(6);
  const PacketShape shape{.payload_bytes = 10};
  Packet packet = make_unfinished(shape, random);
  const auto at = [&](std::size_t start, std::size_t offset) {
    return begin(packet, {.needs_checksum = true,
                          .checksum_start = static_cast<std::uint16_t>(start),
                          .checksum_offset = static_cast<std::uint16_t>(offset)});
  };
  EXPECT_EQ(at(20, packet.size() - 22), std::nullopt);
  EXPECT_EQ(at(20, packet.size() - 21), Drop::kMalformed);
  EXPECT_EQ(at(65535, 65535), Drop::kMalformed);
  EXPECT_EQ(at(12, 0), Drop::kMalformed) << "in the IP header";
}

TEST(Segmenter, RefusesEveryTruncationAndLengthsThatLie) {
  auto random = random_of(7);
  for (const bool is_tcp : {true, false}) {
    const PacketShape shape{
        .is_tcp = is_tcp, .is_v6 = true, .ip_option_bytes = 8, .payload_bytes = 50};
    const Packet good = make_unfinished(shape, random);
    const Offload offload = offload_of(shape, 10);
    for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
      Packet cut_short(good.begin(), good.begin() + static_cast<long>(bytes));
      ASSERT_EQ(begin(cut_short, offload), Drop::kMalformed) << bytes;
      // And with an IP header that agrees.
      if (bytes < 40) continue;
      store16(cut_short, 4, bytes - 40);
      const auto drop = begin(cut_short, offload);
      ASSERT_EQ(drop == std::nullopt, is_tcp && bytes >= shape.header_bytes()) << bytes;
    }
    Packet long_header = good;
    long_header[41] = 200;
    EXPECT_EQ(begin(long_header, offload), Drop::kMalformed);
  }
}

TEST(Segmenter, RefusesFragments) {
  auto random = random_of(8);
  const PacketShape shape{.has_df = false, .payload_bytes = 300};
  Packet super = make_unfinished(shape, random);
  super[6] = 0x20;
  EXPECT_EQ(begin(super, offload_of(shape, 100)), Drop::kMalformed);
}

}  // namespace
}  // namespace qdt::wire
