#include "tunnel/packet_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::tunnel {
namespace {

TEST(PacketPool, HandsOutNoMoreThanItsBound) {
  PacketPool pool(100, 3);
  std::vector<QueuedPacket*> packets{pool.take(), pool.take(), pool.take()};
  EXPECT_EQ(pool.take(), nullptr);
  pool.give_back(packets[1]);
  EXPECT_EQ(pool.take(), packets[1]);
}

TEST(PacketPool, KeepsPacketsApart) {
  PacketPool pool(7, 200);  // more than a slab, of an odd size
  std::vector<QueuedPacket*> packets(200);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    packets[i] = pool.take();
    packets[i]->size = 7;
    std::ranges::fill(packets[i]->bytes(), static_cast<std::uint8_t>(i));
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    ASSERT_EQ(packets[i]->size, 7u);
    for (const std::uint8_t byte : packets[i]->bytes()) ASSERT_EQ(byte, i);
  }
}

}  // namespace
}  // namespace qdt::tunnel
