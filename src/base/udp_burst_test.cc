#include "base/udp_burst.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

const UdpPath kPath{{IpAddress::v4(0x0a000001), 443}, {IpAddress::v4(0x0a000002), 5000}};
const UdpPath kOtherPath{{IpAddress::v4(0x0a000001), 443}, {IpAddress::v4(0x0a000003), 5000}};

void push(UdpSendQueue& queue, std::size_t bytes, const UdpPath& path = kPath,
          Ecn ecn = Ecn::kNotEct) {
  queue.next_payload()[0] = static_cast<std::uint8_t>(bytes);
  queue.push(path, ecn, bytes);
}

TEST(UdpSendQueue, JoinsPayloadsOfOneSize) {
  UdpSendQueue queue(8);
  push(queue, 1400);
  push(queue, 1400);
  ASSERT_EQ(queue.bursts().size(), 1u);
  EXPECT_EQ(queue.bursts()[0].segment_bytes, 1400u);
  EXPECT_EQ(queue.bursts()[0].bytes.size(), 2800u);
}

TEST(UdpSendQueue, LetsOnlyTheLastPayloadBeShorter) {
  UdpSendQueue queue(8);
  push(queue, 1400);
  push(queue, 100);
  push(queue, 100);
  ASSERT_EQ(queue.bursts().size(), 2u);
  EXPECT_TRUE(queue.bursts()[0].ends_short());
  EXPECT_EQ(queue.bursts()[0].payload_count(), 2u);
  EXPECT_EQ(queue.bursts()[1].payload_count(), 1u);
}

TEST(UdpSendQueue, StartsABurstForALargerPayloadAnotherPathOrAnotherMark) {
  UdpSendQueue queue(8);
  push(queue, 100);
  push(queue, 101);
  push(queue, 101, kOtherPath);
  push(queue, 101, kOtherPath, Ecn::kEct0);
  EXPECT_EQ(queue.bursts().size(), 4u);
}

TEST(UdpSendQueue, SendsAProbeAlone) {
  UdpSendQueue queue(8);
  push(queue, 1400);
  queue.push(kPath, Ecn::kNotEct, 1400, UdpSendQueue::Joining::kAlone);
  push(queue, 1400);
  EXPECT_EQ(queue.bursts().size(), 3u);
}

TEST(UdpSendQueue, KeepsToWhatTheKernelTakes) {
  UdpSendQueue queue(200);
  for (int i = 0; i < 130; ++i) push(queue, 1472);
  std::size_t payloads = 0;
  for (const UdpBurst& burst : queue.bursts()) {
    EXPECT_LE(burst.payload_count(), UdpSendQueue::kMaxBurstPayloads);
    EXPECT_LE(burst.bytes.size(), UdpSendQueue::kMaxBurstBytes);
    payloads += burst.payload_count();
  }
  EXPECT_EQ(payloads, 130u);
  EXPECT_EQ(queue.payload_count(), 130u);
}

TEST(UdpSendQueue, IsBoundedAndReusable) {
  UdpSendQueue queue(2);
  push(queue, 1472);
  push(queue, 1472);
  EXPECT_FALSE(queue.has_room());
  queue.pop(queue.bursts().size());
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.has_room());
}

TEST(UdpSendQueue, KeepsWhatWasNotPopped) {
  UdpSendQueue queue(8);
  push(queue, 100);
  push(queue, 200);
  queue.pop(1);
  ASSERT_EQ(queue.bursts().size(), 1u);
  EXPECT_EQ(queue.bursts()[0].bytes[0], 200);
}

TEST(UdpBurst, HandsOutItsPayloads) {
  std::array<std::uint8_t, 25> bytes{};
  const UdpBurst burst{.path = kPath, .segment_bytes = 10, .bytes = bytes};
  std::vector<std::size_t> sizes;
  for_each_payload(burst, [&](Bytes payload) { sizes.push_back(payload.size()); });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{10, 10, 5}));
}

}  // namespace
}  // namespace qdt
