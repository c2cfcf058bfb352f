// One connection ID for both planes (docs/protocol-v1.md section 7): what a watcher sees, and what
// the planes make of each other's packets.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/direct_sim.h"

namespace qdt::testing {
namespace {

using Ids = std::map<wire::DirectId, int>;

// A client of which somebody sees the connection IDs of short headers, by its address.
class Watched final : public SimNode {
 public:
  explicit Watched(ClientNode& client) : client_(client) {}

  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
               Timestamp now) override {
    if (const auto id = wire::direct_id_of(payload)) ++down[path.local][*id];
    client_.receive(path, ecn, payload, out, now);
  }
  bool send(UdpSendQueue& out, Timestamp now) override {
    const bool is_done = client_.send(out, now);
    for (const UdpBurst& burst : out.bursts()) {
      for_each_payload(burst, [&](Bytes payload) {
        if (const auto id = wire::direct_id_of(payload)) ++up[burst.path.local][*id];
      });
    }
    return is_done;
  }
  Timestamp next_timeout() override { return client_.next_timeout(); }
  void handle_timeouts(Timestamp now) override { client_.handle_timeouts(now); }

  std::map<SocketAddress, Ids> up;
  std::map<SocketAddress, Ids> down;

 private:
  ClientNode& client_;
};

class SharedIdSim : public TunnelSim {
 protected:
  explicit SharedIdSim(const wire::Capabilities& server_caps = with_shared_id())
      : TunnelSim({.caps = server_caps}, {.caps = with_shared_id()}) {}

  void SetUp() override {
    world.attach(kClientAddress, watched, {.delay = 10ms});
    ASSERT_TRUE(connect());
    world.run_for(3s);
    ASSERT_TRUE(server_session().direct()->is_usable());
    ASSERT_TRUE(client.session().direct()->is_usable());
    watched.up.clear();
    watched.down.clear();
  }
  tunnel::Session& server_session() { return **server.tunnel().sessions().begin(); }
  // Packets both ways; how many were lost.
  int exchange(Duration duration) {
    const std::size_t before = client.delivered.size() + server.delivered.size();
    int sent = 0;
    for (const Timestamp end = world.now() + duration; world.now() < end; sent += 2) {
      client.inject(up(600), world.now());
      server.inject(down(600), world.now());
      world.run_for(10ms);
    }
    world.run_for(200ms);
    return sent - static_cast<int>(client.delivered.size() + server.delivered.size() - before);
  }
  bool migrate(const SocketAddress& from) {
    return client.tunnel().migrate(connection_of(client.session()), {from, kServerAddress},
                                   world.now());
  }

  Watched watched{client};
};

TEST_F(SharedIdSim, ShowsOneIdInEachDirection) {
  EXPECT_EQ(exchange(60s), 0);
  EXPECT_EQ(watched.up[kClientAddress].size(), 1u);
  EXPECT_EQ(watched.down[kClientAddress].size(), 1u);
  EXPECT_GT(watched.up[kClientAddress].begin()->second, 6000);
  EXPECT_TRUE(server_session().direct()->is_usable());
  EXPECT_EQ(server.drops().total() + client.drops().total(), 0u);
}

// Each path has an ID of its own in each direction.
TEST_F(SharedIdSim, HasNewIdsOnANewPath) {
  exchange(1s);
  for (const std::uint16_t port : {41000, 42000, 43000}) {
    const SocketAddress from{kClientAddress.address, port};
    world.attach(from, watched, {.delay = 10ms});
    ASSERT_TRUE(migrate(from));
    world.run_for(100ms);
    EXPECT_EQ(exchange(1s), 0);
    EXPECT_EQ(server_session().direct()->path().remote, from);
  }
  std::set<wire::DirectId> seen;
  for (const auto& flows : {watched.up, watched.down}) {
    EXPECT_EQ(flows.size(), 4u);
    for (const auto& [address, ids] : flows) {
      EXPECT_EQ(ids.size(), 1u) << address.port;
      for (const auto& [id, count] : ids) EXPECT_TRUE(seen.insert(id).second) << address.port;
    }
  }
  EXPECT_TRUE(server_session().direct()->is_usable());
}

// The first packets by the new path are lost: the server's QUIC connection has no ID for it yet.
TEST_F(SharedIdSim, ShowsNoOldIdToANewAddress) {
  exchange(1s);
  const SocketAddress from{kClientAddress.address, 41000};
  int sent = 0;
  world.attach(from, watched, {.delay = 10ms, .passes = [&](Bytes) { return ++sent > 3; }});
  ASSERT_TRUE(migrate(from));
  exchange(5s);
  EXPECT_EQ(server_session().direct()->path().remote, from);
  ASSERT_EQ(watched.down[from].size(), 1u);
  EXPECT_FALSE(watched.down[kClientAddress].contains(watched.down[from].begin()->first));
  EXPECT_TRUE(server_session().direct()->is_usable());
  EXPECT_FALSE(client.ending);
}

TEST_F(SharedIdSim, KeepsItsIdsBehindANatThatMapsAnew) {
  exchange(1s);
  world.translate(kClientAddress, {kClientAddress.address, 50001});
  EXPECT_LE(exchange(1s), 10);
  EXPECT_EQ(watched.up[kClientAddress].size(), 1u);
  EXPECT_EQ(watched.down[kClientAddress].size(), 1u);
}

TEST_F(SharedIdSim, CountsAsForgedWhatOpensInNeitherPlane) {
  exchange(100ms);
  const wire::DirectId id = watched.up[kClientAddress].begin()->first;
  std::vector<std::uint8_t> forged(200, 0x55);
  append(MutableBytes(forged).subspan(1), id);
  UdpSendQueue unused(1);
  for (int i = 0; i < 50; ++i) {
    forged[20] = static_cast<std::uint8_t>(i);
    server.receive({kServerAddress, kClientAddress}, Ecn::kNotEct, forged, unused, world.now());
  }
  EXPECT_EQ(server.drops().value(Drop::kForged), 50u);
  EXPECT_EQ(exchange(1s), 0);
}

TEST_F(SharedIdSim, HearsOfARestartAtOnce) {
  ServerNode restarted({.caps = with_shared_id()}, 9);
  world.attach(kServerAddress, restarted, {.delay = 10ms});
  client.inject(up(600), world.now());
  EXPECT_TRUE(world.run_until([&] { return client.ending.has_value(); }, 100ms));
}

// The QUIC plane works while nothing direct passes.
TEST_F(SharedIdSim, GoesBackToTheQuicPlane) {
  client.session().direct()->ask_quic(world.now());
  world.run_for(1s);
  EXPECT_EQ(server.drops().total(), 0u) << "its packets are no failures of the direct plane";
}

class NoSharedIdSim : public SharedIdSim {
 protected:
  NoSharedIdSim() : SharedIdSim(with_direct()) {}
};

TEST_F(NoSharedIdSim, GoesOnWithDirectIdsWhereOneSideHasNoSuchCap) {
  EXPECT_EQ(exchange(5s), 0);
  EXPECT_FALSE(server_session().direct()->shares_ids());
  EXPECT_EQ(server_session().direct()->own_ids().size(), 4u);
}

}  // namespace
}  // namespace qdt::testing
