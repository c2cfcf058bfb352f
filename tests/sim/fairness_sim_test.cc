// Clients that share a server's shard: what one asks for is not to delay the others.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "sim/nodes.h"

namespace qdt::testing {
namespace {

constexpr Duration kRequestPeriod = 100ms;
constexpr std::size_t kAnswerBytes = 600;
constexpr std::size_t kBulkBytes = 1300;

/// A server whose link all clients share, and two of them.
class TwoClients : public ::testing::Test {
 protected:
  explicit TwoClients(const ServerNodeOptions& options = {}) : server(options) {
    world.attach(kServerAddress, server, {.delay = 5ms, .bits_per_second = 100e6});
    world.attach(kClientAddress, heavy, {.delay = 5ms});
    world.attach(kClient2Address, light, {.delay = 5ms});
    heavy.connect(kClientAddress, kServerAddress, world.now());
    light.connect(kClient2Address, kServerAddress, world.now());
    world.run_until([&] { return heavy.response && light.response; }, 20s);
    world.run_for(2s);  // path MTU discovery
  }

  // The 95th percentile of the time from a request's sending to the answer's arrival, over
  // `duration` in which `bulk_bits_per_second` for the other client arrive in pieces of 64 KiB.
  Duration request_p95(double bulk_bits_per_second, Duration duration) {
    const Packet bulk = udp_packet(kInternet, heavy.response->client_ip, kBulkBytes);
    const Packet request = udp_packet(light.response->client_ip, kInternet, 100);
    const Packet answer = udp_packet(kInternet, light.response->client_ip, kAnswerBytes);
    constexpr std::size_t kPiece = 48;
    std::vector<Duration> delays;
    const Timestamp end = world.now() + duration;
    Timestamp next_request = world.now();
    Timestamp sent{};
    double owed_packets = 0;
    while (world.now() < end) {
      owed_packets += bulk_bits_per_second / 8 / kBulkBytes / 10'000;  // each 100 us
      for (; owed_packets >= kPiece; owed_packets -= kPiece) {
        for (std::size_t i = 0; i < kPiece; ++i) server.inject(bulk, world.now());
      }
      if (world.now() >= next_request) {
        light.inject(request, world.now());
        sent = world.now();
        next_request += kRequestPeriod;
      }
      world.run_for(100us);
      for (const Packet& packet : server.delivered) {
        if (packet.size() == request.size()) server.inject(answer, world.now());
      }
      server.delivered.clear();
      if (!light.delivered.empty()) delays.push_back(world.now() - sent);
      light.delivered.clear();
      bulk_delivered += heavy.delivered.size();
      heavy.delivered.clear();
    }
    std::ranges::sort(delays);
    EXPECT_GT(delays.size(), static_cast<std::size_t>(duration / kRequestPeriod) * 9 / 10);
    return delays[delays.size() * 95 / 100];
  }

  // The payloads that the socket is given before the first payload to `address`.
  std::size_t bytes_before(const SocketAddress& address) {
    std::size_t bytes = 0;
    for (const UdpBurst& burst : server.tunnel().payloads().bursts()) {
      if (burst.path.remote == address) return bytes;
      bytes += burst.bytes.size();
    }
    ADD_FAILURE() << "nothing for " << address.to_string();
    return bytes;
  }

  tunnel::Session& session_of(const ClientNode& client) {
    for (const auto& session : server.tunnel().sessions()) {
      if (session->lease() == client.response->client_ip) return *session;
    }
    std::abort();
  }

  SimWorld world{5};
  ServerNode server;
  ClientNode heavy;
  ClientNode light{{}, 3};
  std::size_t bulk_delivered = 0;
};

// The rest is what BBR lets stand on the link while it looks for more.
TEST_F(TwoClients, AGreedyOneDelaysTheOtherByTenMillisecondsAtMost) {
  const Duration alone = request_p95(0, 10s);
  const Duration beside = request_p95(200e6, 20s);
  EXPECT_LT(alone, 15ms);
  EXPECT_LT(beside, alone + 10ms);
  EXPECT_GT(static_cast<double>(bulk_delivered * kBulkBytes) * 8 / 20, 75e6);
}

// One TUN read may bring 64 KiB for one session: no more of it leaves before another's packet than
// pacing lets through at once.
TEST_F(TwoClients, APieceOfManyPacketsDoesNotLeaveBeforeAllOthers) {
  request_p95(200e6, 3s);
  world.run_for(1s);
  for (std::size_t i = 0; i < 100; ++i) {
    server.tunnel().forward(udp_packet(kInternet, heavy.response->client_ip, kBulkBytes),
                            world.now());
  }
  server.tunnel().forward(udp_packet(kInternet, light.response->client_ip, kBulkBytes),
                          world.now());
  (void)server.tunnel().send_packets(world.now());
  EXPECT_LT(bytes_before(kClient2Address), 20'000u);
}

/// Two clients that both have much to receive, over a network that is faster than the server's
/// socket.
class BlockedSocket : public TwoClients {
 protected:
  BlockedSocket() : TwoClients({.tunnel = {.send_batch = 4}}) {
    for (const SocketAddress& address : {kServerAddress, kClientAddress, kClient2Address}) {
      world.set_link(address, {.delay = 2ms});
    }
    for (int i = 0; i < 1000; ++i) {  // until their connections know how fast it is
      inject(heavy, 50, kBulkBytes);
      inject(light, 50, kBulkBytes);
      world.run_for(1ms);
    }
    world.run_for(1s);
    server.tunnel().payloads().set_stalled(true);
  }

  void inject(ClientNode& client, std::size_t packets, std::size_t bytes) {
    const Packet packet = udp_packet(kInternet, client.response->client_ip, bytes);
    for (std::size_t i = 0; i < packets; ++i) server.tunnel().forward(packet, world.now());
  }

  // The bytes to `address` among the first `total` that the socket is given.
  std::size_t share_of(const SocketAddress& address, std::size_t total) {
    std::size_t share = 0;
    std::size_t seen = 0;
    for (const UdpBurst& burst : server.tunnel().payloads().bursts()) {
      const std::size_t bytes = std::min(burst.bytes.size(), total - seen);
      seen += bytes;
      if (burst.path.remote == address) share += bytes;
    }
    EXPECT_EQ(seen, total);
    return share;
  }
};

TEST_F(BlockedSocket, PacketsWaitInTheirSessionsQueues) {
  inject(heavy, 50, kBulkBytes);
  EXPECT_TRUE(server.tunnel().payloads().empty());
  EXPECT_GE(session_of(heavy).queued_packets(), 49u);  // one is sealed
}

TEST_F(BlockedSocket, ALatecomerWaitsForATurnAndNotForAllThatCameBefore) {
  inject(heavy, 500, kBulkBytes);
  inject(light, 1, kBulkBytes);
  server.tunnel().payloads().set_stalled(false);
  (void)server.tunnel().send_packets(world.now());
  EXPECT_LT(bytes_before(kClient2Address), 7u * 1450);
}

TEST_F(BlockedSocket, SessionsShareItByBytesNotByPackets) {
  inject(heavy, 300, kBulkBytes);
  inject(light, 900, 200);
  server.tunnel().payloads().set_stalled(false);
  (void)server.tunnel().send_packets(world.now());
  const std::size_t share = share_of(kClient2Address, 16'000);
  EXPECT_GT(share, 5'000u);
  EXPECT_LT(share, 11'000u);
}

}  // namespace
}  // namespace qdt::testing
