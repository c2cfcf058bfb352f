// The order of the send queue, over simulated links.

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/nodes.h"

namespace qdt::testing {
namespace {

constexpr IpAddress kPingHost = IpAddress::v4(0x09090909);

/// A client whose uplink is too slow for a flow that sends without regard for it.
class SharedQueueSim : public ::testing::Test {
 protected:
  SharedQueueSim() {
    world.attach(kServerAddress, server, {.delay = 10ms});
    world.attach(kClientAddress, client, {.delay = 10ms, .bits_per_second = 10e6});
    client.connect(kClientAddress, kServerAddress, world.now());
    world.run_until([&] { return client.response.has_value(); }, 20s);
    world.run_for(2s);  // path MTU discovery
  }

  // 20 Mbit/s for `duration`, all of it `bulk`, and a small packet of another flow each 50 ms.
  // Returns how long the small ones took, in the order of their delays.
  std::vector<Duration> send_both(const Packet& bulk, Duration duration) {
    std::vector<Duration> delays;
    const Duration step = Duration(static_cast<std::int64_t>(1e9 * 8 * bulk.size() / 20e6));
    const Timestamp end = world.now() + duration;
    Timestamp next_ping = world.now();
    Timestamp sent = kNever;  // of the small packet that is on its way
    while (world.now() < end) {
      client.inject(bulk, world.now());
      if (sent == kNever && world.now() >= next_ping) {
        client.inject(udp_packet(client.response->client_ip, kPingHost, 100), world.now());
        sent = world.now();
        next_ping += 50ms;
      }
      world.run_for(step);
      const bool has_arrived =
          std::ranges::any_of(server.delivered, [](const Packet& p) { return p.size() == 100; });
      if (sent != kNever && has_arrived) {
        delays.push_back(world.now() - sent);
        sent = kNever;
      }
      bulk_delivered += server.delivered.size();
      server.delivered.clear();
    }
    std::ranges::sort(delays);
    return delays;
  }

  SimWorld world{7};
  ServerNode server;
  ClientNode client;
  std::size_t bulk_delivered = 0;
};

TEST_F(SharedQueueSim, ASparseFlowDoesNotWaitBehindABulkFlow) {
  const Packet bulk = udp_packet(client.response->client_ip, kInternet, 1200);
  const auto delays = send_both(bulk, 10s);
  ASSERT_GT(delays.size(), 100u);
  // 10 ms of path, and what BBR lets stand there; the queue of the bulk flow is a second long.
  EXPECT_LT(delays[delays.size() * 95 / 100], 60ms);
  EXPECT_GT(bulk_delivered * 1200 * 8, 0.85 * 10e6 * 10);
  EXPECT_GT(client.drops().value(Drop::kQueueDelay) + client.drops().value(Drop::kQueueFull), 0u);
}

TEST_F(SharedQueueSim, MarksAFlowThatUnderstandsEcn) {
  Packet bulk = udp_packet(client.response->client_ip, kInternet, 1200);
  bulk[1] = 0x02;  // ECT(0)
  send_both(bulk, 5s);
  EXPECT_GT(client.counters.congestion_marks.value(), 10u);
  EXPECT_EQ(client.drops().value(Drop::kQueueDelay), 0u);
}

}  // namespace
}  // namespace qdt::testing
