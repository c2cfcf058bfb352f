#include "wire/tcp_mss.h"

#include <gtest/gtest.h>

#include "wire/super_packet_fixture.h"

namespace qdt::wire {
namespace {

// A SYN whose TCP options are these, padded by zeros, and which is valid.
Packet syn(const std::vector<std::uint8_t>& options, bool is_v6 = false,
           std::uint8_t flags = kTcpSyn) {
  std::mt19937_64 random(7);
  const PacketShape shape{.is_v6 = is_v6,
                          .tcp_option_bytes = (options.size() + 3) / 4 * 4,
                          .tcp_flags = flags,
                          .payload_bytes = 0};
  Packet packet = make_unfinished(shape, random);
  std::fill(packet.begin() + static_cast<std::ptrdiff_t>(shape.start() + 20), packet.end(),
            std::uint8_t{0});
  std::ranges::copy(options, packet.begin() + static_cast<std::ptrdiff_t>(shape.start() + 20));
  finish_checksum(packet, shape);
  EXPECT_TRUE(is_valid(packet));
  return packet;
}

bool clamp(Packet& packet, std::size_t mtu) {
  return clamp_mss(packet, *parse_ip_packet(packet), mtu);
}

constexpr std::uint8_t kMss1460[] = {2, 4, 0x05, 0xb4};

TEST(TcpMss, IsLoweredToWhatTheMtuLeaves) {
  Packet packet = syn({2, 4, 0x05, 0xb4});
  EXPECT_TRUE(clamp(packet, 1300));
  EXPECT_EQ(load_be<std::uint16_t>(&packet[42]), 1260u);
  EXPECT_TRUE(is_valid(packet));
}

TEST(TcpMss, LeavesRoomForALargerHeaderInIpv6) {
  Packet packet = syn({2, 4, 0x05, 0xb4}, /*is_v6=*/true);
  EXPECT_TRUE(clamp(packet, 1300));
  EXPECT_EQ(load_be<std::uint16_t>(&packet[62]), 1240u);
  EXPECT_TRUE(is_valid(packet));
}

TEST(TcpMss, IsFoundBehindOtherOptionsAtAnyPlace) {
  for (std::size_t nops = 0; nops < 4; ++nops) {
    std::vector<std::uint8_t> options(nops, 1);
    options.insert(options.end(), {3, 3, 7});
    options.insert(options.end(), std::begin(kMss1460), std::end(kMss1460));
    Packet packet = syn(options);
    EXPECT_TRUE(clamp(packet, 700)) << nops;
    EXPECT_EQ(load_be<std::uint16_t>(&packet[40 + nops + 3 + 2]), 660u) << nops;
    EXPECT_TRUE(is_valid(packet)) << nops;
  }
}

TEST(TcpMss, IsNeverRaised) {
  Packet packet = syn({2, 4, 0x05, 0xb4});
  const Packet before = packet;
  EXPECT_FALSE(clamp(packet, 1500));
  EXPECT_FALSE(clamp(packet, 9000));
  EXPECT_FALSE(clamp(packet, 40));
  EXPECT_EQ(packet, before);
}

TEST(TcpMss, LeavesAWrongChecksumWrong) {
  Packet packet = syn({2, 4, 0x05, 0xb4});
  packet[36] ^= 0x55;
  EXPECT_TRUE(clamp(packet, 1300));
  EXPECT_FALSE(is_valid(packet));
}

TEST(TcpMss, LeavesOptionsAloneThatMakeNoSense) {
  const std::vector<std::uint8_t> cases[] = {
      {1, 1, 2, 4}, {2, 3, 0x05, 0xb4}, {2, 5, 0x05, 0xb4}, {2, 0, 0x05, 0xb4},
      {3, 1, 2, 4}, {3, 9, 2, 4},       {0, 2, 4, 5},       {1, 1, 1, 2},
  };
  for (const auto& options : cases) {
    Packet packet = syn(options);
    const Packet before = packet;
    EXPECT_FALSE(clamp(packet, 100));
    EXPECT_EQ(packet, before);
  }
}

TEST(TcpMss, IsInWhatOpensAConnection) {
  const auto opens = [](const Packet& packet) { return opens_tcp(*parse_ip_packet(packet)); };
  EXPECT_TRUE(opens(syn({})));
  EXPECT_TRUE(opens(syn({}, /*is_v6=*/true)));
  EXPECT_TRUE(opens(syn({}, false, kTcpSyn | kTcpAck)));
  EXPECT_FALSE(opens(syn({}, false, kTcpAck)));
  Packet fragment = syn({});
  fragment[7] = 1;
  EXPECT_FALSE(opens(fragment));
  Packet tiny = syn({});
  tiny.resize(33);
  store16(tiny, 2, tiny.size());
  EXPECT_FALSE(opens(tiny));
}

}  // namespace
}  // namespace qdt::wire
