#include "base/packet_batch.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(PacketBatch, KeepsPacketsInOrder) {
  PacketBatch batch;
  batch.push(as_bytes("one"));
  batch.push(as_bytes("three"));
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(as_text(batch[0]), "one");
  EXPECT_EQ(as_text(batch[1]), "three");
}

TEST(PacketBatch, CommitsLessThanWasReserved) {
  PacketBatch batch;
  const MutableBytes slot = batch.reserve(kMaxPacketBytes);
  slot[0] = 7;
  EXPECT_EQ(batch.commit(1).size(), 1u);
  EXPECT_EQ(batch[0][0], 7);
}

TEST(PacketBatch, IsFullByCountAndByBytes) {
  PacketBatch small;
  while (small.has_room(40)) small.push(std::array<std::uint8_t, 40>{});
  EXPECT_EQ(small.size(), PacketBatch::kMaxPackets);

  PacketBatch large;
  while (large.has_room(kMaxPacketBytes)) {
    large.reserve(kMaxPacketBytes);
    large.commit(kMaxPacketBytes);
  }
  EXPECT_EQ(large.size(), PacketBatch::kArenaBytes / 65536);
}

TEST(PacketBatch, ClearMakesRoomAgain) {
  PacketBatch batch;
  while (batch.has_room(kMaxPacketBytes)) batch.commit(kMaxPacketBytes);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.has_room(kMaxPacketBytes));
}

}  // namespace
}  // namespace qdt
