#include "os/steering.h"

#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <map>
#include <numeric>

#include "os/clock.h"
#include "os/linux/network_fixture.h"
#include "os/linux/refused_calls.h"
#include "os/linux/tun_programs.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

constexpr std::size_t kShards = 3;  // no power of two: a remainder is not a mask

// --- payloads ---

Bytes short_header(std::uint8_t id) {
  static std::array<std::uint8_t, 9> payload;
  payload = {0x40, id, 1, 2, 3, 4, 5, 6, 7};
  return payload;
}
Bytes long_header(std::uint8_t id) {
  static std::array<std::uint8_t, 14> payload;
  payload = {0xc0, 0, 0, 0, 1, 8, id, 1, 2, 3, 4, 5, 6, 7};
  return payload;
}
std::uint8_t id_of(Bytes payload) {
  return payload[(payload[0] & 0x80) != 0 ? 6 : 1];
}

class SteeringOfPayloads : public testing::Test {
 protected:
  SteeringOfPayloads() {
    for (std::size_t i = 0; i < kShards; ++i) {
      group.push_back(open({.local = address, .is_shared = true}));
      address = group.back().local_address();
    }
  }

  UdpSocket open(const UdpSocket::Options& options) {
    auto socket = UdpSocket::open(options, logger);
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
  }
  UdpSocket open_client() { return open({.local = {IpAddress{}, 0}, .remote = address}); }

  void send(UdpSocket& client, std::initializer_list<Bytes> payloads) {
    for (const Bytes payload : payloads) {
      append(out.next_payload(), payload);
      out.push({client.local_address(), address}, Ecn::kNotEct, payload.size());
    }
    EXPECT_EQ(client.send(out).sent_payloads, payloads.size());
  }

  // The arrivals, as the first bytes of the IDs. The loopback device delivers within send().
  std::vector<std::uint8_t> arrived(std::size_t shard) {
    std::vector<std::uint8_t> ids;
    do {
      group[shard].receive(batch);
      for (const UdpBurst& burst : batch.bursts()) {
        for_each_payload(burst, [&](Bytes payload) { ids.push_back(id_of(payload)); });
      }
    } while (!batch.bursts().empty());
    return ids;
  }

  TestLogger logger;
  SocketAddress address{IpAddress::v4(0x7f000001), 0};
  std::vector<UdpSocket> group;
  UdpSendQueue out{256};
  UdpReceiveBatch batch;
};

TEST_F(SteeringOfPayloads, FollowsTheConnectionIdWhateverThePort) {
  ASSERT_TRUE(steer_payloads(group.front(), kShards));
  for (int port = 0; port < 20; ++port) {
    UdpSocket client = open_client();
    for (const int id : {0, 1, 2, 100, 254, 255}) {
      send(client, {short_header(static_cast<std::uint8_t>(id))});
      send(client, {long_header(static_cast<std::uint8_t>(id))});
    }
  }
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    const auto ids = arrived(shard);
    EXPECT_EQ(ids.size(), 20u * 2 * 2);
    for (const std::uint8_t id : ids) EXPECT_EQ(id % kShards, shard);
  }
}

TEST_F(SteeringOfPayloads, GivesABurstToTheShardOfItsFirstPayload) {
  ASSERT_TRUE(steer_payloads(group.back(), kShards));
  UdpSocket client = open_client();
  const std::array<std::uint8_t, 9> two = {0x40, 2}, one = {0x40, 1}, zero = {0x40, 0};
  send(client, {two, one, zero});
  EXPECT_EQ(arrived(2), (std::vector<std::uint8_t>{2, 1, 0}));
}

TEST_F(SteeringOfPayloads, GivesWhatIsTooShortToTheFirstShard) {
  ASSERT_TRUE(steer_payloads(group.front(), kShards));
  UdpSocket client = open_client();
  const std::array<std::uint8_t, 1> no_id = {0x41};
  const std::array<std::uint8_t, 6> no_long_id = {0xc0, 0, 0, 0, 1, 8};
  send(client, {no_id});
  send(client, {no_long_id});
  std::size_t received = 0;
  group.front().receive(batch);
  for (const UdpBurst& burst : batch.bursts()) received += burst.payload_count();
  EXPECT_EQ(received, 2u);
}

TEST_F(SteeringOfPayloads, SaysThatItIsRefusedAndLeavesThemToAHash) {
  in_child([this] {
    refuse({SYS_setsockopt, 2, SO_ATTACH_REUSEPORT_CBPF}, ENOPROTOOPT);
    const auto refused = steer_payloads(group.front(), kShards);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("chooses UDP sockets: Protocol not available"));
    UdpSocket client = open_client();
    for (int id = 0; id < 30; ++id) send(client, {short_header(static_cast<std::uint8_t>(id))});
    std::vector<std::size_t> counts;
    for (std::size_t shard = 0; shard < kShards; ++shard) counts.push_back(arrived(shard).size());
    EXPECT_THAT(counts, testing::UnorderedElementsAre(30, 0, 0));  // one flow, one socket
  });
}

// --- packets ---

// A device of kShards queues, and where it brought the packets to 10.9.1.0/24 and fd09::/64 whose
// last byte is 2 to 61.
class Device {
 public:
  explicit Device()
      : tun(std::move(*TunDevice::open({.name = "qdt0", .queues = kShards}, logger))) {
    EXPECT_EQ(shell("ip link set qdt0 up; ip address add 10.9.1.1/24 dev qdt0; "
                    "ip address add fd09::1/64 dev qdt0 nodad"),
              "");
  }

  void send_to_all() {
    UdpSocket socket = std::move(*UdpSocket::open({.local = {*IpAddress::parse("::"), 0}}, logger));
    UdpSendQueue out{256};
    for (std::uint32_t host = 2; host < 62; ++host) {
      auto v6 = std::array<std::uint8_t, 16>{0xfd, 0x09};
      v6[15] = static_cast<std::uint8_t>(host);
      for (const IpAddress& to : {IpAddress::v4(0x0a090100 + host), IpAddress::v6(v6)}) {
        out.next_payload()[0] = 'x';
        out.push({{}, {to, 9}}, Ecn::kNotEct, 1);
      }
    }
    EXPECT_EQ(socket.send(out).sent_payloads, 120u);
  }

  // By queue: the remainders of the destinations' last four bytes, and how often each was seen.
  std::vector<std::map<std::size_t, std::size_t>> arrived() {
    std::vector<std::map<std::size_t, std::size_t>> seen(kShards);
    std::size_t count = 0;
    for (const Timestamp end = now() + 5s; count < 120 && now() < end;) {
      for (std::size_t i = 0; i < kShards; ++i) count += read(tun.queues[i], seen[i]);
    }
    EXPECT_EQ(count, 120u);
    return seen;
  }

  TestLogger logger;
  TunDevice tun;

 private:
  std::size_t read(TunQueue& queue, std::map<std::size_t, std::size_t>& seen) {
    std::size_t count = 0;
    for (SuperPacket super; queue.read(super);) {
      const Bytes packet = super.bytes;
      const bool is_v4 = packet[0] >> 4 == 4;
      if (packet[is_v4 ? 9 : 6] != IPPROTO_UDP) continue;  // the kernel's own about neighbours
      const Bytes word = packet.subspan(is_v4 ? 16 : 36, 4);
      ++seen[std::accumulate(word.begin(), word.end(), std::size_t{0},
                             [](std::size_t sum, std::uint8_t byte) { return sum << 8 | byte; }) %
             kShards];
      ++count;
    }
    return count;
  }
};

TEST(SteeringOfPackets, FollowsTheDestination) {
  in_fresh_network([] {
    Device device;
    const auto ok = steer_packets(device.tun.queues, 0);
    ASSERT_TRUE(ok) << ok.error().message;
    device.send_to_all();
    const auto seen = device.arrived();
    for (std::size_t queue = 0; queue < kShards; ++queue) {
      EXPECT_EQ(seen[queue], (std::map<std::size_t, std::size_t>{{queue, 40}}));
    }
  });
}

TEST(SteeringOfPackets, BringsIpv6WhereTheIpv4LeaseBesideItGoes) {
  in_fresh_network([] {
    Device device;
    ASSERT_TRUE(steer_packets(device.tun.queues, 0x0a090100 - 1));  // one off: IPv6 shifts by it
    device.send_to_all();
    const auto seen = device.arrived();
    for (std::size_t queue = 0; queue < kShards; ++queue) {
      const std::size_t ipv4 = queue;
      const std::size_t ipv6 = (queue + kShards - (0x0a090100 - 1) % kShards) % kShards;
      EXPECT_EQ(seen[queue], (std::map<std::size_t, std::size_t>{{ipv4, 20}, {ipv6, 20}})) << queue;
    }
  });
}

TEST(SteeringOfPackets, NeedsNoRightToLoadWhatWasLoadedBefore) {
  in_fresh_network([] {
    const auto programs = TunPrograms::load();
    ASSERT_TRUE(programs) << programs.error().message;
    Device device;
    refuse({SYS_bpf, 0, BPF_PROG_LOAD}, EPERM);
    const auto ok = steer_packets(device.tun.queues, 0, &*programs);
    ASSERT_TRUE(ok) << ok.error().message;
    device.send_to_all();
    const auto seen = device.arrived();
    for (std::size_t queue = 0; queue < kShards; ++queue) {
      EXPECT_EQ(seen[queue], (std::map<std::size_t, std::size_t>{{queue, 40}}));
    }
  });
}

using Remainders = std::map<std::size_t, std::size_t>;

TEST(SteeringOfPackets, SaysWhichCapabilityItLacksAndLeavesThemToTheFirst) {
  in_fresh_network([] {
    Device device;
    refuse({SYS_bpf, 0, BPF_PROG_LOAD}, EPERM);
    const auto refused = steer_packets(device.tun.queues, 0);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("needs CAP_BPF"));
    device.send_to_all();
    EXPECT_EQ(device.arrived(), (std::vector<Remainders>{{{0, 40}, {1, 40}, {2, 40}}, {}, {}}));
  });
}

TEST(SteeringOfPackets, LeavesAllQueuesToBeWrittenTo) {
  in_fresh_network([] {
    Device device;
    refuse({SYS_ioctl, 1, TUNSETSTEERINGEBPF}, EINVAL);
    const auto refused = steer_packets(device.tun.queues, 0);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("chooses TUN queues: Invalid argument"));
    // An echo request from 10.9.1.2 to 10.9.1.1 by each; the answers come to the first.
    constexpr std::array<std::uint8_t, 28> kRequest = {0x45, 0,    0,    28,   0, 0, 0,  0, 64, 1,
                                                       0x64, 0xcd, 10,   9,    1, 2, 10, 9, 1,  1,
                                                       8,    0,    0xf7, 0xff, 0, 0, 0,  0};
    const GatheredPacket request{.first = kRequest, .payloads = {}, .offload = {}};
    for (TunQueue& queue : device.tun.queues) EXPECT_EQ(queue.write({&request, 1}), 0u);
    std::size_t answers = 0;
    for (const Timestamp end = now() + 5s; answers < 3 && now() < end;) {
      for (SuperPacket super; device.tun.queues.front().read(super);) {
        answers += super.bytes[0] == 0x45 && super.bytes[9] == 1;
      }
    }
    EXPECT_EQ(answers, 3u);
  });
}

}  // namespace
}  // namespace qdt::os
