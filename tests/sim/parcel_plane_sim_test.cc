// Sessions rest on any plane: one that is made for this test carries one from end to end.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/nodes.h"
#include "sim/parcel_plane.h"

namespace qdt::testing {
namespace {

static_assert(plane::Base<ParcelPlane>);
using ParcelBase = tunnel::BasePlaneOf<ParcelPlane>;

const IpAddress kLease = IpAddress::v4(0x0a080002);

/// A tunnel whose one session was agreed on elsewhere.
class ParcelNode final : public TunnelNode, private tunnel::TunnelEvents {
 public:
  ParcelNode(Role role, const UdpPath& path)
      : random(role == Role::kServer ? 1 : 2),
        tunnel_({.role = role}, nullptr, *this, random, counters, payloads) {
    auto base = std::make_unique<ParcelBase>(path);
    plane_ = &base->plane;
    session_ = &tunnel_.open_session({.role = role,
                                      .id = 7,
                                      .lease = kLease,
                                      .mtu = 1400,
                                      .send_queue = 100,
                                      .max_reassembly_bytes = 65536},
                                     std::move(base), Timestamp(1s));
  }

  void receive(const UdpPath&, Ecn, Bytes payload, UdpSendQueue&, Timestamp now) override {
    if (session_ == nullptr) return;
    tunnel_.receive(*session_, *plane_, payload, now);
    collect(now);
  }
  tunnel::Tunnel& tunnel() override { return tunnel_; }
  void close(Timestamp now) {
    tunnel_.close_session(*session_, tunnel::SessionEnd::kShutdown, now);
  }

  SeededRandom random;
  std::optional<tunnel::SessionEnd> peer_reason;

 private:
  void on_settings(tunnel::Tunnel&, quic::Connection&) override {}
  void on_message(tunnel::Tunnel&, quic::Connection&, quic::StreamId,
                  const quic::Message&) override {}
  void on_stream_closed(tunnel::Tunnel&, quic::Connection&, quic::StreamId) override {}
  void on_session_closed(tunnel::Tunnel&, tunnel::Session& session, tunnel::SessionEnd,
                         const std::string&) override {
    peer_reason = session.peer_reason;
    session_ = nullptr;
  }
  void on_connection_closed(tunnel::Tunnel&, quic::Connection&, const quic::CloseReason&) override {
  }

  tunnel::Tunnel tunnel_;
  tunnel::Session* session_ = nullptr;
  ParcelPlane* plane_ = nullptr;
};

class ParcelSim : public ::testing::Test {
 protected:
  ParcelSim() {
    world.attach(kServerAddress, server, {.delay = 10ms});
    world.attach(kClientAddress, client, {.delay = 10ms});
  }
  static Packet up(std::size_t bytes, std::uint8_t fill = 0) {
    return udp_packet(kLease, kInternet, bytes, fill);
  }
  static Packet down(std::size_t bytes, std::uint8_t fill = 0) {
    return udp_packet(kInternet, kLease, bytes, fill);
  }

  SimWorld world{42};
  ParcelNode server{Role::kServer, {kServerAddress, kClientAddress}};
  ParcelNode client{Role::kClient, {kClientAddress, kServerAddress}};
};

TEST_F(ParcelSim, CarriesPacketsBothWays) {
  client.inject(up(400), world.now());
  server.inject(down(60), world.now());
  world.run_for(30ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(400)}));
  EXPECT_EQ(client.delivered, (std::vector<Packet>{down(60)}));
}

TEST_F(ParcelSim, CutsPacketsThatAreLargerThanItsOwn) {
  client.inject(up(1200, 7), world.now());
  world.run_for(30ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(1200, 7)}));
}

TEST_F(ParcelSim, KeepsWhatItDoesNotTakeUntilItsTimer) {
  std::vector<Packet> sent;
  for (std::uint8_t i = 0; i < 45; ++i) {
    sent.push_back(up(300, i));
    client.inject(sent.back(), world.now());
  }
  world.run_for(25ms);
  EXPECT_EQ(server.delivered.size(), 20u) << "two turns of ten";
  world.run_for(40ms);
  EXPECT_EQ(server.delivered, sent);
  EXPECT_EQ(client.drops().total(), 0u);
}

TEST_F(ParcelSim, IsCalledToDeliverWhatCameTooEarly) {
  world.set_link(kClientAddress, {.delay = 10ms, .reordered = 0.3, .reorder_delay = 25ms});
  std::vector<Packet> sent;
  for (std::uint8_t i = 0; i < 100; ++i) {
    sent.push_back(up(100, i));
    client.inject(sent.back(), world.now());
    world.run_for(2ms);
  }
  world.run_for(60ms);
  EXPECT_EQ(server.delivered, sent);
}

TEST_F(ParcelSim, GivesUpWaitingForWhatIsLost) {
  bool loses = true;
  world.set_link(kClientAddress, {.delay = 10ms, .passes = [&](Bytes) { return !loses; }});
  client.inject(up(100, 1), world.now());
  world.run_for(1ms);
  loses = false;
  client.inject(up(100, 2), world.now());
  world.run_for(50ms);
  EXPECT_TRUE(server.delivered.empty());
  world.run_for(15ms);
  EXPECT_EQ(server.delivered, (std::vector<Packet>{up(100, 2)}));
}

TEST_F(ParcelSim, EndsAtBothEnds) {
  server.close(world.now());
  world.run_for(30ms);
  EXPECT_EQ(client.peer_reason, tunnel::SessionEnd::kShutdown);
  EXPECT_EQ(client.tunnel().sessions().size(), 0u);
}

}  // namespace
}  // namespace qdt::testing
