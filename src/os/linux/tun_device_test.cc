#include "os/tun_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>

#include "os/linux/network_fixture.h"
#include "os/linux/refused_calls.h"
#include "os/linux/tun_programs.h"
#include "os/steering.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Packet = std::vector<std::uint8_t>;

constexpr std::uint32_t kUsoFlags = 0x60;
constexpr std::uint32_t kAllFlags = 0xff;

// From now on this process's kernel refuses TUNSETOFFLOAD with any of these flags, as one does that
// does not know them.
void refuse_offloads(std::uint32_t flags) {
  const sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TUNSETOFFLOAD, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(filter), .filter = const_cast<sock_filter*>(filter)};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/// A TUN device with 10.9.0.1/24 and a UDP socket on it.
struct TunHost {
  TestLogger logger;
  TunDevice device;
  UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};

  explicit TunHost(TunDevice::Options options = {}) {
    options.name = "qdt0";
    auto opened = TunDevice::open(options, logger);
    EXPECT_TRUE(opened) << opened.error().message;
    if (!opened) return;
    device = std::move(*opened);
    EXPECT_EQ(shell("ip address add 10.9.0.1/24 dev qdt0 && ip link set qdt0 up mtu 1300"), "");
    const sockaddr_in local = address(0x0a090001, 5000);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
  }

  static sockaddr_in address(std::uint32_t ip, std::uint16_t port) {
    return {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}, .sin_zero = {}};
  }

  /// `count` payloads of 100 bytes to 10.9.0.2 in one system call.
  void send_burst(std::size_t count) {
    const int segment_bytes = 100;
    EXPECT_EQ(::setsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, sizeof(int)), 0);
    const Packet payload(count * 100, 7);
    const sockaddr_in remote = address(0x0a090002, 6000);
    EXPECT_EQ(::sendto(socket.get(), payload.data(), payload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&remote), sizeof remote),
              static_cast<ssize_t>(payload.size()));
  }

  /// The UDP packets from the device, in pieces; the host also says hello to routers and the like.
  std::vector<SuperPacket> read_udp(std::vector<Packet>& memory) {
    std::vector<SuperPacket> packets;
    SuperPacket packet;
    while (device.queues[0].read(packet)) {
      if (packet.bytes[0] != 0x45 || packet.bytes[9] != IPPROTO_UDP) continue;
      memory.emplace_back(packet.bytes.begin(), packet.bytes.end());
      packets.push_back({memory.back(), packet.offload});
    }
    return packets;
  }

  /// The sizes of the UDP payloads that arrive.
  std::vector<ssize_t> receive() {
    std::vector<ssize_t> sizes;
    std::array<std::uint8_t, 65536> buffer;
    for (;;) {
      const ssize_t bytes = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (bytes < 0) return sizes;
      sizes.push_back(bytes);
    }
  }
};

std::uint16_t sum_of(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) sum += load_be<std::uint16_t>(&bytes[i]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// From 10.9.0.2:6000 to 10.9.0.1:5000; of the UDP checksum there is the pseudo-header's part.
Packet headers(std::size_t payload_bytes) {
  Packet packet = {0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1};
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(28 + payload_bytes));
  store_be<std::uint16_t>(&packet[10], static_cast<std::uint16_t>(~sum_of(packet)));
  packet.insert(packet.end(), {0x17, 0x70, 0x13, 0x88, 0, 0, 0, 0});
  const auto udp_bytes = static_cast<std::uint16_t>(8 + payload_bytes);
  store_be<std::uint16_t>(&packet[24], udp_bytes);
  const Packet pseudo = {10, 9, 0, 2, 10, 9, 0, 1, 0, 17, packet[24], packet[25]};
  store_be<std::uint16_t>(&packet[26], sum_of(pseudo));
  return packet;
}

constexpr Offload kUdpOffload{.kind = Offload::Kind::kUdp,
                              .needs_checksum = true,
                              .segment_bytes = 100,
                              .header_bytes = 28,
                              .checksum_start = 20,
                              .checksum_offset = 6};

TEST(TunDevice, GivesSuperPackets) {
  in_fresh_network([] {
    TunHost host;
    EXPECT_EQ(host.device.queues[0].offloads(), (TunOffloads{.has_tcp = true, .has_udp = true}));
    EXPECT_THAT(host.logger.text, IsEmpty());
    host.send_burst(20);
    std::vector<Packet> memory;
    const auto packets = host.read_udp(memory);
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].bytes.size(), 2028u);
    Offload offload = packets[0].offload;
    offload.header_bytes = 28;  // a hint
    EXPECT_EQ(offload, kUdpOffload);
  });
}

TEST(TunDevice, TakesSuperPacketsInPieces) {
  in_fresh_network([] {
    TunHost host;
    Packet first = headers(250);
    first.resize(first.size() + 100, 1);
    const Packet second(100, 2);
    const Packet third(50, 3);
    const std::array<Bytes, 2> payloads = {second, third};
    const GatheredPacket packet{.first = first, .payloads = payloads, .offload = kUdpOffload};
    EXPECT_EQ(host.device.queues[0].write({&packet, 1}), 0u);
    EXPECT_THAT(host.receive(), testing::ElementsAre(100, 100, 50));
  });
}

TEST(TunDevice, TakesTcpWithAReducedCongestionWindow) {
  in_fresh_network([] {
    TunHost host;
    Packet first = headers(12 + 150);
    first[9] = IPPROTO_TCP;
    store_be<std::uint16_t>(&first[10], load_be<std::uint16_t>(&first[10]) + (17 - 6));
    first.resize(140);
    first[32] = 0x50;
    first[33] = 0x90;  // ACK, CWR
    const Packet second(50, 2);
    const std::array<Bytes, 1> payloads = {second};
    const Offload offload{.kind = Offload::Kind::kTcp4,
                          .needs_checksum = true,
                          .has_cwr = true,
                          .segment_bytes = 100,
                          .header_bytes = 40,
                          .checksum_start = 20,
                          .checksum_offset = 16};
    const GatheredPacket packet{.first = first, .payloads = payloads, .offload = offload};
    EXPECT_EQ(host.device.queues[0].write({&packet, 1}), 0u);
  });
}

TEST(TunDevice, CountsWhatTheKernelRefuses) {
  in_fresh_network([] {
    TunHost host;
    const Packet first = headers(0);
    const Packet garbage = {0};
    const std::array<Bytes, 2> payloads = {first, first};
    Offload lie = kUdpOffload;
    lie.checksum_start = 60000;
    const std::array<GatheredPacket, 2> packets = {
        GatheredPacket{.first = first, .payloads = payloads, .offload = lie},
        GatheredPacket{.first = garbage, .payloads = {}, .offload = {}}};
    EXPECT_EQ(host.device.queues[0].write(packets), 4u);
  });
}

// The behaviour of every TUN device, whatever its kernel offers.
void expect_single_packets(TunHost& host) {
  host.send_burst(5);
  std::vector<Packet> memory;
  const auto packets = host.read_udp(memory);
  ASSERT_EQ(packets.size(), 5u);
  for (const SuperPacket& packet : packets) {
    EXPECT_EQ(packet.bytes.size(), 128u);
    EXPECT_EQ(packet.offload.kind, Offload::Kind::kNone);
  }
  Packet packet = headers(100);
  packet.resize(128, 1);
  store_be<std::uint16_t>(&packet[26],
                          static_cast<std::uint16_t>(~sum_of(Bytes(packet).subspan(20))));
  const GatheredPacket whole{.first = packet, .payloads = {}, .offload = {}};
  EXPECT_EQ(host.device.queues[0].write({&whole, 1}), 0u);
  EXPECT_THAT(host.receive(), testing::ElementsAre(100));
}

TEST(TunDevice, WorksWhereTheKernelHasNoUdpOffloads) {
  in_fresh_network([] {
    refuse_offloads(kUsoFlags);
    TunHost host;
    EXPECT_EQ(host.device.queues[0].offloads(), TunOffloads{.has_tcp = true});
    EXPECT_EQ(host.logger.text,
              "TUN device qdt0: this kernel has no UDP offloads for TUN devices (Linux 6.2 has)\n");
    expect_single_packets(host);
  });
}

TEST(TunDevice, WorksWhereTheKernelHasNoOffloadsAtAll) {
  in_fresh_network([] {
    refuse_offloads(kAllFlags);
    TunHost host;
    EXPECT_EQ(host.device.queues[0].offloads(), TunOffloads{});
    EXPECT_THAT(host.logger.text, HasSubstr("qdt0: this kernel has no offloads for TUN devices"));
    expect_single_packets(host);
  });
}

TEST(TunDevice, WorksWithOffloadsSwitchedOff) {
  in_fresh_network([] {
    TunHost host({.use_offloads = false});
    EXPECT_EQ(host.device.queues[0].offloads(), TunOffloads{});
    EXPECT_THAT(host.logger.text, IsEmpty());
    expect_single_packets(host);
  });
}

// Five payloads of 100 bytes and their headers.
constexpr std::size_t kBurstBytes = 28 + 5 * 100;

TEST(TunDevice, TellsHowMuchWaits) {
  in_fresh_network([] {
    TunHost host;
    TunQueue& queue = host.device.queues[0];
    SuperPacket packet;
    while (queue.read(packet)) {
    }
    EXPECT_EQ(queue.waiting_bytes(), 0u);
    host.send_burst(5);
    host.send_burst(5);
    EXPECT_EQ(queue.waiting_bytes(), 2 * kBurstBytes);
    ASSERT_TRUE(queue.read(packet));
    EXPECT_EQ(queue.waiting_bytes(), kBurstBytes);
    ASSERT_TRUE(queue.read(packet));
    EXPECT_EQ(queue.waiting_bytes(), 0u);
    EXPECT_FALSE(queue.read(packet));
  });
}

// A full queue loses what comes, and nobody will ever read that.
TEST(TunDevice, ForgetsWhatFoundNoRoom) {
  in_fresh_network([] {
    TunHost host;
    TunQueue& queue = host.device.queues[0];
    EXPECT_EQ(shell("ip link set qdt0 txqueuelen 4"), "");
    for (int i = 0; i < 20; ++i) host.send_burst(5);
    EXPECT_GT(queue.waiting_bytes(), 4 * kBurstBytes);
    SuperPacket packet;
    while (queue.read(packet)) {
    }
    EXPECT_EQ(queue.waiting_bytes(), 0u);
    host.send_burst(5);
    EXPECT_EQ(queue.waiting_bytes(), kBurstBytes);
  });
}

TEST(TunDevice, TellsHowMuchWaitsInEachQueue) {
  in_fresh_network([] {
    constexpr std::size_t kQueues = 4;
    TunHost host({.queues = kQueues});
    ASSERT_TRUE(steer_packets(host.device.queues, 0));
    host.send_burst(5);  // to 10.9.0.2
    for (std::size_t i = 0; i < kQueues; ++i) {
      TunQueue& queue = host.device.queues[i];
      const std::size_t waiting = queue.waiting_bytes();
      SuperPacket packet;
      std::size_t read = 0;
      while (queue.read(packet)) read += packet.bytes.size();
      EXPECT_EQ(waiting, read) << i;
      EXPECT_EQ(waiting >= kBurstBytes, i == 2) << i;
    }
  });
}

// The second device is the first one made again: it begins with nothing.
TEST(TunDevice, IsCountedByAProgramThatWasLoadedBefore) {
  in_fresh_network([] {
    auto loaded = TunPrograms::load();
    ASSERT_TRUE(loaded) << loaded.error().message;
    refuse({SYS_bpf, 0, BPF_MAP_CREATE}, EPERM);
    const auto programs = std::make_shared<const TunPrograms>(std::move(*loaded));
    for (int i = 0; i < 2; ++i) {
      TunHost host({.programs = programs});
      EXPECT_EQ(host.device.queues[0].waiting_bytes(), 0u);
      host.send_burst(5);
      EXPECT_EQ(host.device.queues[0].waiting_bytes(), kBurstBytes);
    }
  });
}

TEST(TunDevice, WorksWhereNobodyMayCountWhatWaits) {
  in_fresh_network([] {
    refuse({SYS_bpf, 0, BPF_MAP_CREATE}, EPERM);
    TunHost host;
    EXPECT_THAT(host.logger.text, HasSubstr("count what waits in the TUN device: not permitted; "
                                            "needs CAP_BPF"));
    host.send_burst(5);
    EXPECT_EQ(host.device.queues[0].waiting_bytes(), 0u);
    std::vector<Packet> memory;
    EXPECT_EQ(host.read_udp(memory).size(), 1u);
  });
}

TEST(TunDevice, HasTheSameOffloadsInAllQueues) {
  in_fresh_network([] {
    TestLogger logger;
    refuse_offloads(kUsoFlags);
    const auto device = TunDevice::open({.name = "qdt%d", .queues = 3}, logger);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->name, "qdt0");
    ASSERT_EQ(device->queues.size(), 3u);
    for (const TunQueue& queue : device->queues) {
      EXPECT_EQ(queue.offloads(), TunOffloads{.has_tcp = true});
    }
    EXPECT_EQ(std::ranges::count(logger.text, '\n'), 1);
  });
}

}  // namespace
}  // namespace qdt::os
