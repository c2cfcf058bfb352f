// Many clients in one process against one server: what qdt-load counts is what happened.

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <deque>

#include "load/load.h"
#include "sim/nodes.h"

namespace qdt::testing {
namespace {

using load::Load;

constexpr std::size_t kClients = 20;
const SocketAddress kFirst{IpAddress::v4(0xc6330001), 40000};

// The program without its socket.
class LoadNode final : public SimNode {
 public:
  explicit LoadNode(const Load::Options& options)
      : load(options, test_client_tls(), random_),
        tunnel_({.role = Role::kClient}, nullptr, load, random_, counters_, payloads_) {}

  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue&, Timestamp now) override {
    if (!load.is_there(path.local)) return;
    tunnel_.receive(path, ecn, payload, now);
    load.take_packets(tunnel_, now);
  }
  bool send(UdpSendQueue& out, Timestamp now) override {
    const bool is_done = tunnel_.send(now);
    for (const UdpBurst& burst : payloads_.bursts()) {
      if (out.payload_count() + burst.payload_count() > 200) return false;
      for_each_payload(burst, [&](Bytes payload) {
        append(out.next_payload(), payload);
        out.push(burst.path, burst.ecn, payload.size());
      });
      payloads_.pop(1);
    }
    return is_done;
  }
  Timestamp next_timeout() override { return std::min(tunnel_.next_timeout(), load.next_turn()); }
  void handle_timeouts(Timestamp now) override {
    tunnel_.handle_timeouts(now);
    load.turn(tunnel_, now);
    load.take_packets(tunnel_, now);
  }

 private:
  SeededRandom random_{3};
  tunnel::Counters counters_;
  UdpSendQueue payloads_{1024};

 public:
  Load load;

 private:
  tunnel::Tunnel tunnel_;
};

class LoadSim : public ::testing::Test {
 protected:
  static Load::Options options() {
    return {.clients = kClients,
            .connects_per_second = 50,
            .server = kServerAddress,
            .first_local = kFirst,
            .addresses = 2 * kClients,
            .connector = {.token = "secret-token", .server_name = "localhost"}};
  }

  void begin(const Load::Options& options) {
    node.emplace(options);
    world.attach(kServerAddress, server, {.delay = 5ms});
    for (std::uint32_t i = 0; i < options.addresses; ++i) {
      world.attach({IpAddress::v4(kFirst.address.v4_number() + i), kFirst.port}, *node,
                   {.delay = 5ms});
    }
    server.on_packet = [this](Bytes packet, Timestamp) {
      if (answers) asked.emplace_back(packet.begin(), packet.end());
    };
  }

  // The server's host answers meanwhile.
  void run_for(Duration time) {
    for (const Timestamp end = world.now() + time; world.now() < end; world.run_for(1ms)) {
      for (Packet& packet : std::exchange(asked, {})) {
        std::swap_ranges(packet.begin() + 12, packet.begin() + 16, packet.begin() + 16);
        packet[20] = 0;  // an echo reply
        server.inject(packet, world.now());
      }
    }
  }
  const load::Report& report() const { return node->load.report(); }

  SimWorld world{1};
  ServerNode server{{.admission = {.address_rate = {}}}};
  std::optional<LoadNode> node;
  std::deque<Packet> asked;
  bool answers = true;
};

TEST_F(LoadSim, ConnectsAtItsRateAndCountsEchoes) {
  begin(options());
  run_for(200ms);
  EXPECT_LE(report().up, 11u);
  run_for(800ms);
  EXPECT_TRUE(node->load.are_all_up());
  EXPECT_EQ(server.tunnel().sessions().size(), kClients);
  EXPECT_EQ(report().handshakes, kClients);
  EXPECT_GE(report().handshake_times.percentile(0), 20ms);  // two round trips
  const std::uint64_t before = report().echoes_sent;
  run_for(10s);
  EXPECT_NEAR(static_cast<double>(report().echoes_sent - before), 10 * kClients, 1);
  node->load.rest(world.now());
  run_for(1s);
  EXPECT_EQ(report().echoes_lost(), 0u);
  EXPECT_EQ(report().echoes_answered, report().echoes_sent);
  EXPECT_GE(report().echo_times.percentile(0), 10ms);
  EXPECT_EQ(report().lost + report().refused, 0u);
}

TEST_F(LoadSim, TellsWhatWasLost) {
  begin(options());
  run_for(2s);
  answers = false;
  const std::uint64_t before = report().echoes_sent;
  run_for(1s);
  node->load.rest(world.now());
  run_for(1s);
  EXPECT_NEAR(static_cast<double>(report().echoes_lost()),
              static_cast<double>(report().echoes_sent - before), 2);
}

TEST_F(LoadSim, EndsSessionsAndBeginsThemAgain) {
  Load::Options churning = options();
  churning.churn_per_second = 10;
  begin(churning);
  run_for(11s);
  EXPECT_NEAR(static_cast<double>(report().churned), 100, 8);
  EXPECT_GE(report().handshakes, kClients + report().churned - 2);
  EXPECT_EQ(report().lost + report().refused, 0u);
  EXPECT_GE(report().up, kClients - 2);
  EXPECT_LE(server.tunnel().sessions().size(), kClients);
}

TEST_F(LoadSim, MovesClientsWithoutAnEnd) {
  Load::Options roaming = options();
  roaming.roams_per_second = 2;
  begin(roaming);
  run_for(31s);
  EXPECT_NEAR(static_cast<double>(report().roamed), 60, 4);
  EXPECT_EQ(report().lost + report().refused, 0u);
  EXPECT_EQ(report().up, kClients);
  node->load.rest(world.now());
  run_for(1s);
  EXPECT_EQ(report().handshakes, kClients);
  // A move takes a round trip, and more for a client that has just moved before.
  EXPECT_LE(report().echoes_lost(), report().roamed / 4);
}

TEST_F(LoadSim, SaysWhyNobodyIsLetIn) {
  Load::Options wrong = options();
  wrong.connector.token = "another";
  begin(wrong);
  run_for(5s);
  EXPECT_EQ(report().up, 0u);
  EXPECT_NE(node->load.fatal().find("the token is wrong"), std::string::npos);
}

TEST_F(LoadSim, ComesBackAfterTheServerEndedEverySession) {
  begin(options());
  run_for(2s);
  server.tunnel().close_all(tunnel::SessionEnd::kIdle, "", world.now());
  run_for(5s);
  EXPECT_EQ(report().lost, kClients);
  EXPECT_EQ(report().up, kClients);
  EXPECT_EQ(report().reasons.size(), 1u);
}

// Both sides are in this process: what the allocator has lent is all that they keep. Under
// AddressSanitizer it tells of none, and LeakSanitizer looks for the same in its own way.
TEST_F(LoadSim, WhoComesAndGoesLeavesNothingBehind) {
  const auto in_use = [] {
    const auto memory = ::mallinfo2();
    return static_cast<double>(memory.uordblks + memory.hblkhd);
  };
  Load::Options coming_and_going = options();
  coming_and_going.churn_per_second = 100;
  begin(coming_and_going);
  run_for(10s);
  const double before = in_use();
  run_for(30s);
  EXPECT_GE(report().churned, 1900u);
  EXPECT_LE(in_use(), 1.1 * before + 100e3) << "of " << before << " bytes";
}

}  // namespace
}  // namespace qdt::testing
