// How a connection's rate becomes payloads: the bursts that a link gets, and what an application
// that does not use its link means for the engine's idea of it.

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/sending.h"

namespace qdt::testing {
namespace {

/// A client on a link of some rate; the server's way back is fast.
class PacedLink {
 public:
  explicit PacedLink(const LinkOptions& uplink,
                     CongestionControl congestion = CongestionControl::kBbr)
      : client({}, 2, {.keep_alive = 10s, .congestion = congestion}), meter(client) {
    world.attach(kServerAddress, server, {.delay = uplink.delay});
    world.attach(kClientAddress, meter, uplink);
    client.connect(kClientAddress, kServerAddress, world.now());
    world.run_until([&] { return client.response.has_value(); }, 20s);
    world.run_for(1s);
  }

  // Offers so much for so long, in pieces as a TUN device gives them: a TCP sender's 64 KiB at once
  // or less. Returns what arrived, in bits per second of inner packets.
  double offer(double bits_per_second, Duration duration, std::size_t piece_packets) {
    const Packet packet = udp_packet(client.response->client_ip, kInternet, 1300);
    const auto interval = Duration(static_cast<std::int64_t>(
        1e9 * 8 * 1300 * static_cast<double>(piece_packets) / bits_per_second));
    const Timestamp begun = world.now();
    std::uint64_t delivered_bytes = 0;
    for (Timestamp next = begun; next < begun + duration; next += interval) {
      world.run_for(next - world.now());
      for (std::size_t i = 0; i < piece_packets; ++i) client.inject(packet, world.now());
      for (const Packet& arrived : server.delivered) delivered_bytes += arrived.size();
      server.delivered.clear();
    }
    return 8 * static_cast<double>(delivered_bytes) /
           std::chrono::duration<double>(duration).count();
  }

  SimWorld world{11};
  ServerNode server;
  ClientNode client;
  BurstMeter meter;
};

struct Load {
  double rate;   // of the link
  double share;  // of it that is offered
  std::size_t piece_packets;
};

class BurstSim : public ::testing::TestWithParam<Load> {};

// Once BBR has met the path's limit, what a link gets at one moment takes it at most 2 ms, or is
// three packets: the two that pacing needs, and one in whose middle a burst became complete. Paced
// only when they had to wait, 48 packets left at once: 53 ms of a link of 10 Mbit/s.
TEST_P(BurstSim, FitsTheRate) {
  const auto [rate, share, piece_packets] = GetParam();
  PacedLink link({.delay = 10ms,
                  .bits_per_second = rate,
                  .queue_bytes = static_cast<std::size_t>(rate / 8 / 5)});
  link.offer(1.5 * rate, 2s, piece_packets);
  link.offer(share * rate, 1s, piece_packets);
  link.meter.reset();
  link.offer(share * rate, 1s, piece_packets);
  EXPECT_GT(link.meter.sent_bytes(), 0.4 * rate / 8);
  EXPECT_LE(link.meter.largest_bytes(), std::max(3 * 1400., 0.002 * rate / 8));
}

INSTANTIATE_TEST_SUITE_P(Links, BurstSim,
                         ::testing::Values(Load{2e6, 1.5, 48}, Load{10e6, 0.5, 1},
                                           Load{10e6, 0.5, 48}, Load{10e6, 1.5, 48},
                                           Load{100e6, 0.5, 48}, Load{100e6, 1.5, 10},
                                           Load{1000e6, 0.5, 48}, Load{1000e6, 1.5, 48}));

// An application that uses a tenth of its link for as long as BBR's filters remember, and then all.
TEST(ApplicationLimit, IsNotTakenForThePathsRate) {
  PacedLink link({.delay = 20ms, .bits_per_second = 100e6, .queue_bytes = 2'500'000});
  link.offer(150e6, 4s, 10);
  EXPECT_GT(link.offer(10e6, 15s, 10), 9.5e6);
  EXPECT_GT(link.offer(150e6, 500ms, 10), 70e6);
}

TEST(ApplicationLimit, LeavesTheRateOfManyChangesAsItIs) {
  PacedLink link({.delay = 20ms, .bits_per_second = 100e6, .queue_bytes = 2'500'000});
  for (int i = 0; i < 4; ++i) {
    EXPECT_GT(link.offer(10e6, 4s, 1), 9.5e6) << "change " << i;
    EXPECT_GT(link.offer(150e6, 4s, 10), 80e6) << "change " << i;
  }
}

// At 1 % loss nothing that can be done outside of the engine keeps its estimate up
// (docs/performance.md, "What BBR makes of a small need"). This is how far down it goes.
TEST(ApplicationLimit, KeepsMostOfASmallNeedOnALossyPath) {
  PacedLink link({.delay = 20ms, .bits_per_second = 100e6, .queue_bytes = 2'500'000, .loss = 0.01});
  for (int i = 0; i < 3; ++i) {
    link.offer(150e6, 4s, 10);
    EXPECT_GT(link.offer(10e6, 4s, 10), 6e6) << "change " << i;
  }
}

// Each second of the session is counted under one limit.
TEST(SendingLimits, AreCountedByTheirCause) {
  PacedLink link({.delay = 20ms, .bits_per_second = 20e6});
  const auto seconds = [&link](tunnel::SendLimit limit) {
    const auto& counter = link.client.counters.limited_nanoseconds[static_cast<std::size_t>(limit)];
    return 1e-9 * static_cast<double>(counter.value());
  };
  const auto held = [&] {
    return seconds(tunnel::SendLimit::kPacing) + seconds(tunnel::SendLimit::kWindow);
  };
  link.world.run_for(5s);
  EXPECT_GT(seconds(tunnel::SendLimit::kApplication), 4);
  EXPECT_EQ(held(), 0);
  const double idle = seconds(tunnel::SendLimit::kApplication);
  const std::uint64_t delivered = link.client.counters.delivered_bytes.value();
  const double goodput_bytes_per_second = link.offer(40e6, 10s, 10) / 8;
  EXPECT_GT(held(), 8);
  EXPECT_LT(seconds(tunnel::SendLimit::kApplication), idle + 2);
  // Headers come on top; the last second may not be counted yet.
  const auto counted =
      static_cast<double>(link.client.counters.delivered_bytes.value() - delivered);
  EXPECT_GT(counted, 9 * goodput_bytes_per_second);
  EXPECT_LT(counted, 12 * goodput_bytes_per_second);
}

TEST(Congestion, IsTheOneThatWasAskedFor) {
  const auto standing_queue = [](CongestionControl congestion) {
    PacedLink link({.delay = 10ms, .bits_per_second = 20e6, .queue_bytes = 500'000}, congestion);
    link.offer(30e6, 5s, 10);
    return link.world.queue_delay(kClientAddress);
  };
  EXPECT_LT(standing_queue(CongestionControl::kBbr), 50ms);
  EXPECT_GT(standing_queue(CongestionControl::kCubic), 100ms);  // of 200 that there are
  EXPECT_GT(standing_queue(CongestionControl::kReno), 60ms);
}

}  // namespace
}  // namespace qdt::testing
