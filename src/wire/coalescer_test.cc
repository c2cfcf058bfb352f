#include "wire/coalescer.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "wire/super_packet_fixture.h"

namespace qdt::wire {
namespace {

struct Joined {
  Packet bytes;
  Offload offload;
  std::size_t packet_count;
};

std::vector<Joined> join(const std::vector<Packet>& packets,
                         const Coalescer::Options& options = {}) {
  PacketBatch batch;
  for (const Packet& packet : packets) batch.push(packet);
  const auto coalescer = std::make_unique<Coalescer>(options);
  std::vector<Joined> items;
  for (const GatheredPacket& item : coalescer->join(batch)) {
    Joined joined{{item.first.begin(), item.first.end()}, item.offload, item.packet_count()};
    for (const Bytes payload : item.payloads) {
      joined.bytes.insert(joined.bytes.end(), payload.begin(), payload.end());
    }
    items.push_back(std::move(joined));
  }
  return items;
}

std::vector<std::size_t> counts(const std::vector<Packet>& packets,
                                const Coalescer::Options& options = {}) {
  std::vector<std::size_t> counts;
  for (const Joined& item : join(packets, options)) counts.push_back(item.packet_count);
  return counts;
}

using Counts = std::vector<std::size_t>;

/// `count` packets of one flow, as cut from a super-packet.
std::vector<Packet> run_of(PacketShape shape, std::size_t count, std::size_t segment_bytes = 100) {
  std::mt19937_64 random(count + shape.source_port);
  shape.payload_bytes = count * segment_bytes;
  return cut(make_unfinished(shape, random), offload_of(shape, segment_bytes));
}

/// The packets again with `change` made to number `index`, its checksums then mended.
template <typename Change>
std::vector<Packet> changed(const PacketShape& shape, std::size_t index, Change&& change) {
  auto packets = run_of(shape, 3);
  Packet& packet = packets[index];
  change(packet);
  if (!shape.is_v6) {
    store16(packet, 10, 0);
    store16(packet, 10, 0xffff ^ plain_sum(Bytes(packet).first(shape.start())));
  }
  const std::size_t bytes = packet.size() - shape.start();
  store16(packet, shape.start() + (shape.is_tcp ? 16 : 6),
          plain_pseudo_header_sum(packet, shape.is_tcp ? 6 : 17, bytes));
  finish_checksum(packet, shape);
  return packets;
}

TEST(Coalescer, UndoesEveryCut) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    PacketShape shape = random_shape(random);
    const std::size_t count = 2 + random() % (shape.is_tcp ? 126 : 62);
    const std::size_t room = kMaxPacketBytes - shape.header_bytes();
    const std::size_t segment_bytes = 2 + random() % (room / count - 2);
    shape.payload_bytes = count * segment_bytes - random() % segment_bytes;
    const Packet super = make_unfinished(shape, random);
    const Offload offload = offload_of(shape, segment_bytes);
    const auto items = join(cut(super, offload));
    ASSERT_EQ(items.size(), 1u);
    ASSERT_TRUE(items[0].bytes == super);
    ASSERT_EQ(items[0].offload, offload);
    ASSERT_EQ(items[0].packet_count, count);
  }
}

// A batch of interleaved flows with something odd here and there: cut again, every flow is what it
// was, packet by packet.
std::vector<Packet> random_batch(std::mt19937_64& random) {
  std::vector<PacketShape> flows(1 + random() % 20);
  for (PacketShape& flow : flows) flow = random_shape(random);
  std::vector<Packet> packets;
  for (std::size_t i = 1 + random() % 128; i > 0; --i) {
    PacketShape& flow = flows[random() % flows.size()];
    flow.payload_bytes = random() % 8 == 0 ? random() % 300 : 200;
    if (random() % 4 == 0) flow.tcp_flags = random_shape(random).tcp_flags;
    std::mt19937_64 same(flow.source_port);  // the same addresses, options and so on
    Packet packet = make_packet(flow, same);
    // Any byte but those that say where the ports are, and they: else it is another flow.
    const std::size_t byte = random() % packet.size();
    const bool tells_flow =
        byte == (flow.is_v6 ? 41 : 0) || (byte >= flow.start() && byte < flow.start() + 4);
    if (random() % 20 == 0 && !tells_flow) packet[byte] ^= 4;
    packets.push_back(std::move(packet));
    if (random() % 20 != 0 || flow.has_df) ++flow.id;
    if (random() % 20 != 0) flow.sequence += static_cast<std::uint32_t>(flow.payload_bytes);
  }
  return packets;
}

TEST(Coalescer, LosesChangesAndReordersNothingOfAFlow) {
  // By addresses: each flow of this test has its own.
  const auto by_flow = [](const std::vector<Packet>& packets) {
    std::map<Packet, std::vector<Packet>> flows;
    for (const Packet& packet : packets) {
      const bool is_v6 = packet[0] >> 4 == 6;
      const std::size_t from = is_v6 ? 8 : 12;
      flows[Packet(packet.begin() + from, packet.begin() + (is_v6 ? 40 : 20))].push_back(packet);
    }
    return flows;
  };
  std::size_t joined = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const auto packets = random_batch(random);
    std::vector<Packet> cut_again;
    for (const Joined& item : join(packets)) {
      if (item.packet_count > 1) ++joined;
      for (Packet& packet : cut(item.bytes, item.offload)) cut_again.push_back(std::move(packet));
    }
    ASSERT_TRUE(by_flow(cut_again) == by_flow(packets));
  }
  EXPECT_GT(joined, 1000u);
}

TEST(Coalescer, KeepsTheOrderOfFirstPackets) {
  const auto a = run_of({.source_port = 1}, 3);
  const auto b = run_of({.source_port = 2}, 3);
  const auto items = join({a[0], b[0], b[1], a[1], b[2], a[2]});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].bytes[21], 1);
  EXPECT_EQ(items[1].bytes[21], 2);
}

TEST(Coalescer, BeginsAnewBehindAPacketThatDoesNotFit) {
  const auto packets = run_of({}, 4);
  Packet pure_ack(packets[0].begin(), packets[0].begin() + 40);
  store16(pure_ack, 2, 40);
  EXPECT_EQ(counts({packets[0], packets[1], pure_ack, packets[2], packets[3]}), (Counts{2, 1, 2}));
  EXPECT_EQ(counts({packets[0], packets[1], packets[0], packets[2]}), (Counts{2, 1, 1}));
}

TEST(Coalescer, EndsAtAShorterPacketAndBeforeALongerOne) {
  std::mt19937_64 random(7);
  const PacketShape whole{.is_tcp = false, .payload_bytes = 250};
  auto shorter = cut(make_unfinished(whole, random), offload_of(whole, 100));
  shorter.push_back(shorter[2]);
  EXPECT_EQ(counts(shorter), (Counts{3, 1}));
  EXPECT_EQ(counts({shorter[2], shorter[0]}), (Counts{1, 1}));
}

TEST(Coalescer, JoinsNoCorruptPacket) {
  for (const bool is_tcp : {true, false}) {
    // The checksums of both headers and the last byte of the payload: nothing that packets of one
    // flow have in common.
    for (const std::size_t byte : {10u, is_tcp ? 36u : 26u, is_tcp ? 139u : 127u}) {
      for (std::size_t index = 0; index < 3; ++index) {
        auto packets = run_of({.is_tcp = is_tcp}, 3);
        packets[index][byte] ^= 0x10;
        const auto items = join(packets);
        const Counts expected[] = {{1, 2}, {1, 1, 1}, {2, 1}};
        ASSERT_EQ(counts(packets), expected[index]) << is_tcp << " " << byte;
        EXPECT_EQ(items[index == 0 ? 0 : 1].bytes, packets[index]);
        EXPECT_EQ(items[index == 0 ? 0 : 1].offload, Offload{});
      }
    }
  }
}

TEST(Coalescer, JoinsOnlyEqualHeaders) {
  const PacketShape v4{};
  const PacketShape v6{.is_v6 = true, .ip_option_bytes = 8};
  const PacketShape with_options{.ip_option_bytes = 4, .tcp_option_bytes = 12};
  const PacketShape udp{.is_tcp = false};
  const auto differs = [](const PacketShape& shape, std::size_t byte, std::uint8_t bit) {
    return counts(changed(shape, 1, [=](Packet& packet) { packet[byte] ^= bit; }));
  };
  EXPECT_EQ(counts(changed(v4, 1, [](Packet&) {})), (Counts{3}));
  const Counts apart = {1, 1, 1};
  EXPECT_EQ(differs(v4, 1, 0x01), apart) << "ECN";
  EXPECT_EQ(differs(v4, 1, 0x10), apart) << "DSCP";
  EXPECT_EQ(differs(v4, 5, 0x08), apart) << "identification";
  EXPECT_EQ(differs(v4, 6, 0x40), apart) << "DF";
  EXPECT_EQ(differs(v4, 8, 0x01), apart) << "TTL";
  EXPECT_EQ(differs(v4, 27, 0x01), apart) << "sequence number";
  EXPECT_EQ(differs(v4, 31, 0x01), apart) << "acknowledgement";
  EXPECT_EQ(differs(v4, 32, 0x01), apart) << "reserved flag";
  EXPECT_EQ(differs(v4, 33, 0x02), apart) << "SYN";
  EXPECT_EQ(differs(v4, 33, 0x04), apart) << "RST";
  EXPECT_EQ(differs(v4, 33, 0x20), apart) << "URG";
  EXPECT_EQ(differs(v4, 33, 0x40), apart) << "ECE";
  EXPECT_EQ(differs(v4, 33, 0x80), (Counts{1, 2})) << "CWR";
  EXPECT_EQ(differs(v4, 35, 0x01), apart) << "window";
  EXPECT_EQ(differs(with_options, 22, 0x01), apart) << "IPv4 option";
  EXPECT_EQ(differs(with_options, 50, 0x01), apart) << "timestamp";
  EXPECT_EQ(differs(v6, 1, 0x10), apart) << "traffic class";
  EXPECT_EQ(differs(v6, 3, 0x01), apart) << "flow label";
  EXPECT_EQ(differs(v6, 7, 0x01), apart) << "hop limit";
  EXPECT_EQ(differs(v6, 45, 0x01), apart) << "IPv6 option";
  EXPECT_EQ(differs(udp, 8, 0x01), apart) << "TTL, UDP";
  // Another flow may not even interrupt.
  EXPECT_EQ(differs(udp, 21, 0x01), (Counts{1, 1, 1})) << "its identification is missing";
  EXPECT_EQ(differs({.is_tcp = false, .is_v6 = true}, 41, 0x01), (Counts{2, 1}));
}

TEST(Coalescer, EndsAtPshAndFin) {
  for (const std::uint8_t flag : {0x08, 0x01}) {
    const auto packets = changed({}, 1, [=](Packet& packet) { packet[33] |= flag; });
    const auto items = join(packets);
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].packet_count, 2u);
    EXPECT_EQ(items[0].bytes[33], 0x10 | flag);
  }
}

TEST(Coalescer, TakesACwrOnlyInFront) {
  const auto items = join(run_of({.tcp_flags = 0x90}, 3));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_TRUE(items[0].offload.has_cwr);
}

TEST(Coalescer, TakesAConstantIdentificationOnlyWithDf) {
  for (const bool has_df : {true, false}) {
    const PacketShape shape{.has_df = has_df};
    auto packets = run_of(shape, 3);
    for (Packet& packet : packets) {
      store16(packet, 4, 0);
      store16(packet, 10, 0);
      store16(packet, 10, 0xffff ^ plain_sum(Bytes(packet).first(20)));
    }
    EXPECT_EQ(counts(packets), has_df ? (Counts{3}) : (Counts{1, 1, 1}));
  }
}

TEST(Coalescer, LeavesUdpWithoutChecksumAlone) {
  auto packets = run_of({.is_tcp = false}, 3);
  for (Packet& packet : packets) store16(packet, 26, 0);
  EXPECT_EQ(counts(packets), (Counts{1, 1, 1}));
}

TEST(Coalescer, LeavesFragmentsAloneAndNothingOvertakesThem) {
  auto packets = run_of({.is_tcp = false, .has_df = false}, 4);
  packets[2][6] = 0x20;
  EXPECT_EQ(counts(packets), (Counts{2, 1, 1}));
}

TEST(Coalescer, JoinsAtMost64OfUdp) {
  EXPECT_EQ(counts(run_of({.is_tcp = false}, 100)), (Counts{64, 36}));
  EXPECT_EQ(counts(run_of({}, 100)), (Counts{100}));
}

TEST(Coalescer, NeverPasses64Kibibytes) {
  std::vector<Packet> packets;
  for (std::uint32_t i = 0; i < 60; ++i) {
    std::mt19937_64 same(1);
    packets.push_back(make_packet(
        {.id = static_cast<std::uint16_t>(i), .sequence = i * 1400, .payload_bytes = 1400}, same));
  }
  EXPECT_EQ(counts(packets), (Counts{46, 14}));  // 40 + 46 * 1400 = 64440
}

TEST(Coalescer, JoinsWhatItIsAllowedTo) {
  const auto tcp = run_of({}, 2);
  const auto udp = run_of({.is_tcp = false}, 2);
  const std::vector<Packet> packets = {tcp[0], tcp[1], udp[0], udp[1]};
  EXPECT_EQ(counts(packets), (Counts{2, 2}));
  EXPECT_EQ(counts(packets, {.joins_udp = false}), (Counts{2, 1, 1}));
  EXPECT_EQ(counts(packets, {.joins_tcp = false, .joins_udp = false}), (Counts{1, 1, 1, 1}));
}

TEST(Coalescer, KeepsMoreFlowsThanItCanJoinInOrder) {
  std::vector<Packet> packets;
  std::vector<std::vector<Packet>> flows;
  for (std::uint16_t port = 0; port < 30; ++port) flows.push_back(run_of({.source_port = port}, 3));
  for (std::size_t i = 0; i < 3; ++i) {
    for (const auto& flow : flows) packets.push_back(flow[i]);
  }
  EXPECT_EQ(join(packets).size(), 90u);  // each gives way before its next packet
}

TEST(Coalescer, PassesWhatIsNoPacket) {
  const Packet garbage = {1, 2, 3};
  const auto items = join({garbage});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].bytes, garbage);
  EXPECT_EQ(items[0].offload, Offload{});
}

}  // namespace
}  // namespace qdt::wire
