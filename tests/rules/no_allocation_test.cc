// Per packet nothing is allocated: two real tunnels move packets in memory while every allocation
// of the process is counted, the libraries' included.

#include <gtest/gtest.h>

#include <cstddef>

#include "rules/allocation_count.h"
#include "sim/agreed_node.h"
#include "sim/two_tunnels.h"
#include "wire/coalescer.h"
#include "wire/segmenter.h"

namespace qdt::testing {
namespace {

template <typename Tunnels>
struct Counted : Tunnels {
  using Tunnels::Tunnels;

  // Sends `rounds` times a batch of packets each way and returns the allocations of the later half.
  std::size_t count_allocations(int rounds, std::size_t packets_each, std::size_t packet_bytes,
                                bool is_ipv6 = false) {
    const IpAddress lease = is_ipv6 ? this->lease6() : this->lease();
    const IpAddress internet = is_ipv6 ? kInternet6 : kInternet;
    const Packet up = udp_packet(lease, internet, packet_bytes);
    const Packet down = udp_packet(internet, lease, packet_bytes);
    this->step = 250us;  // what pacing holds back is not to wait for a coarse clock
    for (int round = 0; round < rounds; ++round) {
      if (round == rounds / 2) {
        this->received = 0;
        start_counting_allocations();
      }
      for (std::size_t i = 0; i < packets_each; ++i) {
        this->client.tunnel().forward(up, this->now);
        this->server.tunnel().forward(down, this->now);
      }
      for (int i = 0; i < 4; ++i) this->exchange();
    }
    return stop_counting_allocations();
  }
};

using CountedTunnels = Counted<TwoTunnels>;

class NoAllocation : public ::testing::Test, public CountedTunnels {};

TEST_F(NoAllocation, CountsAllocationsAtAll) {
  start_counting_allocations();
  auto* volatile probe = new int(7);
  delete probe;
  EXPECT_GT(stop_counting_allocations(), 0u);
}

TEST_F(NoAllocation, BothWaysInWholeDatagrams) {
  EXPECT_EQ(count_allocations(2000, 20, 1350), 0u);
  EXPECT_GE(received, 2u * 1000 * 20 * 99 / 100);  // pacing holds some back beyond the end
}

TEST_F(NoAllocation, BothWaysWithSmallPackets) {
  EXPECT_EQ(count_allocations(2000, 40, 64), 0u);
  EXPECT_GE(received, 2u * 1000 * 40 * 99 / 100);
}

TEST(NoAllocationOfIpv6, BothWaysInWholeDatagrams) {
  CountedTunnels tunnels({.ipv6 = kIpv6Pool});
  ASSERT_TRUE(tunnels.client.response->ipv6);
  EXPECT_EQ(tunnels.count_allocations(2000, 20, 1350, /*is_ipv6=*/true), 0u);
  EXPECT_GE(tunnels.received, 2u * 1000 * 20 * 99 / 100);
}

class NoAllocationOfContexts : public ::testing::TestWithParam<Agreement> {
 protected:
  Counted<AgreedTunnels> tunnels{GetParam()};
};

TEST_P(NoAllocationOfContexts, BothWaysInWholeDatagrams) {
  EXPECT_EQ(tunnels.count_allocations(2000, 20, 1350), 0u);
  EXPECT_GE(tunnels.received, 2u * 1000 * 20 * 99 / 100);
}

TEST_P(NoAllocationOfContexts, BothWaysWithSmallPackets) {
  EXPECT_EQ(tunnels.count_allocations(2000, 40, 64), 0u);
  EXPECT_GE(tunnels.received, 2u * 1000 * 40 * 99 / 100);
}

TEST_P(NoAllocationOfContexts, BothWaysInFragments) {
  EXPECT_EQ(tunnels.count_allocations(2000, 10, 2400), 0u);
  EXPECT_GE(tunnels.received, 1000u * 10);
}

INSTANTIATE_TEST_SUITE_P(Modes, NoAllocationOfContexts,
                         ::testing::Values(with_contexts(), with_sealed_contexts()),
                         [](const auto& mode) { return mode.index == 0 ? "Plain" : "Sealed"; });

TEST(NoAllocationOfPlainContexts, WhileLargePacketsAreAnswered) {
  AgreedTunnels tunnels(with_plain_contexts());
  const Packet large = udp_packet(tunnels.lease(), kInternet, 1500);
  start_counting_allocations();
  for (int i = 0; i < 1000; ++i) {
    tunnels.client.tunnel().forward(large, tunnels.now);
    tunnels.client.tunnel().packets().clear();
  }
  EXPECT_EQ(stop_counting_allocations(), 0u);
  EXPECT_EQ(tunnels.client.drops().value(Drop::kTooBig), 1000u);
}

TEST(NoAllocationOfShards, OnAnyOfFour) {
  for (std::size_t shard = 0; shard < 4; ++shard) {
    CountedTunnels tunnels(
        {.tunnel = {.endpoint = {.shard = shard, .shard_count = 4}, .has_siblings = true}});
    EXPECT_EQ(tunnels.count_allocations(1000, 20, 1350), 0u) << shard;
    EXPECT_GE(tunnels.received, 2u * 500 * 20 * 98 / 100) << shard;
  }
}

TEST_F(NoAllocation, BothWaysInFragments) {
  EXPECT_EQ(count_allocations(2000, 10, 2400), 0u);
  EXPECT_GE(received, 1000u * 10);
}

wire::Capabilities with_direct() {
  wire::Capabilities caps = wire::Capabilities::supported();
  caps.direct = true;
  return caps;
}

class NoAllocationOfDirectPlane : public ::testing::Test, public CountedTunnels {
 protected:
  NoAllocationOfDirectPlane() : CountedTunnels({.caps = with_direct()}, {.caps = with_direct()}) {}
  void TearDown() override {
    EXPECT_TRUE(client.session().direct()->is_usable());
    EXPECT_TRUE((*server.tunnel().sessions().begin())->direct()->is_usable());
  }
};

TEST_F(NoAllocationOfDirectPlane, BothWaysInWholePackets) {
  EXPECT_EQ(count_allocations(2000, 20, 1350), 0u);
  EXPECT_EQ(received, 2u * 1000 * 20);
}

TEST_F(NoAllocationOfDirectPlane, BothWaysWithSmallPackets) {
  EXPECT_EQ(count_allocations(2000, 40, 64), 0u);
  EXPECT_EQ(received, 2u * 1000 * 40);
}

TEST_F(NoAllocationOfDirectPlane, BothWaysInFragments) {
  EXPECT_EQ(count_allocations(2000, 10, 2400), 0u);
  EXPECT_EQ(received, 2u * 1000 * 10);
}

TEST_F(NoAllocationOfDirectPlane, WithLoss) {
  lose_every = 50;
  EXPECT_EQ(count_allocations(2000, 20, 1350), 0u);
  EXPECT_GE(received, 2u * 1000 * 20 * 97 / 100);
}

TEST_F(NoAllocationOfDirectPlane, WhileItsPacketsAreForged) {
  Packet forged(100, 0x43);
  append(MutableBytes(forged).subspan(1),
         (*server.tunnel().sessions().begin())->direct()->own_ids()[0]);
  start_counting_allocations();
  for (int i = 0; i < 10000; ++i) {
    server.tunnel().receive({kServerAddress, kClientAddress}, Ecn::kNotEct, forged, now);
  }
  EXPECT_EQ(stop_counting_allocations(), 0u);
  EXPECT_EQ(server.drops().value(Drop::kForged), 10000u);
}

// The TUN device's side: a super-packet is cut and joined again.
TEST(NoAllocationOfOffloads, CutAndJoined) {
  Packet super = udp_packet(kInternet, kInternet, 28 + 40 * 1000, 7);
  store_be<std::uint16_t>(&super[24], 8 + 40 * 1000);
  const Offload offload{.kind = Offload::Kind::kUdp,
                        .needs_checksum = true,
                        .segment_bytes = 1000,
                        .checksum_start = 20,
                        .checksum_offset = 6};
  wire::Segmenter segmenter;
  PacketBatch batch;
  wire::Coalescer coalescer({});
  std::size_t joined = 0;
  start_counting_allocations();
  for (int i = 0; i < 1000; ++i) {
    const auto drop = segmenter.begin({super, offload});
    if (!drop && !segmenter.next(batch)) joined = coalescer.join(batch)[0].packet_count();
    batch.clear();
  }
  EXPECT_EQ(stop_counting_allocations(), 0u);
  EXPECT_EQ(joined, 40u);
}

TEST_F(NoAllocation, WhileEverythingIsDropped) {
  const Packet spoofed = udp_packet(IpAddress::v4(0x09090909), kInternet, 100);
  const Packet garbage(50, 0xff);
  const Packet stray = udp_packet(kInternet, IpAddress::v4(0x0a080077), 100);
  start_counting_allocations();
  for (int i = 0; i < 10000; ++i) {
    client.tunnel().forward(spoofed, now);
    client.tunnel().forward(garbage, now);
    server.tunnel().forward(stray, now);
    server.tunnel().receive({kServerAddress, kClientAddress}, Ecn::kNotEct, garbage, now);
  }
  EXPECT_EQ(stop_counting_allocations(), 0u);
}

}  // namespace
}  // namespace qdt::testing
