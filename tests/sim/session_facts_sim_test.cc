// What a running server can tell of a session, from two hosts on virtual time.

#include "tunnel/session_facts.h"

#include <gtest/gtest.h>

#include "sim/direct_sim.h"

namespace qdt::testing {
namespace {

class SessionFactsSim : public DirectSim {
 protected:
  tunnel::SessionFacts facts() { return tunnel::facts_of(server_session(), world.now()); }
};

TEST_F(SessionFactsSim, TellWhoItIsAndWhere) {
  ASSERT_TRUE(connect());
  const auto told = facts();
  EXPECT_EQ(told.id, server_session().id());
  EXPECT_EQ(told.client, server_session().client_id());
  EXPECT_EQ(told.lease.to_string(), "10.8.0.2");
  EXPECT_EQ(told.outer, kClientAddress);
}

TEST_F(SessionFactsSim, TellWhatTheDirectPlaneKnowsOnceItIsInUse) {
  ASSERT_TRUE(connect());
  ASSERT_TRUE(world.run_until([&] { return is_direct(); }, 5s));
  world.run_for(2s);  // whatever was sent before the client had the keys is lost
  const std::uint64_t lost = facts().packets_lost;
  const std::size_t missing = send_for(1s);
  world.run_for(1s);
  const auto told = facts();
  EXPECT_EQ(missing, 0u);
  EXPECT_TRUE(told.is_direct);
  EXPECT_EQ(told.outer, kClientAddress);
  EXPECT_GE(told.rtt, 20ms);
  EXPECT_LT(told.rtt, 60ms);
  EXPECT_GT(told.packets_arrived, 0u);
  EXPECT_EQ(told.packets_lost, lost);
  EXPECT_EQ(told.traffic.up.packets, 100u);
  EXPECT_EQ(told.traffic.up.bytes, 100u * 600u);
  EXPECT_GT(told.path_mtu, 1280u);
}

TEST_F(SessionFactsSim, TellHowLongItHasBeenSilent) {
  ASSERT_TRUE(connect());
  world.run_for(5s);
  const Duration age = facts().age;
  set_links({.delay = 10ms, .loss = 1});
  world.run_for(3s);
  const auto told = facts();
  EXPECT_EQ(told.age, age + 3s);
  EXPECT_GE(told.silence, 3s - 40ms);
  EXPECT_LE(told.silence, told.age);
}

class QuicFactsSim : public TunnelSim {};

TEST_F(QuicFactsSim, TellTheSameOfTheQuicPlane) {
  ASSERT_TRUE(connect());
  client.inject(up(600), world.now());
  server.inject(down(700), world.now());
  world.run_for(5s);
  const auto told = tunnel::facts_of(**server.tunnel().sessions().begin(), world.now());
  EXPECT_FALSE(told.is_direct);
  EXPECT_EQ(told.outer, kClientAddress);
  EXPECT_GE(told.rtt, 20ms);  // 10 ms to the server and 10 ms back, at least
  EXPECT_EQ(told.traffic.up.bytes, 600u);
  EXPECT_EQ(told.traffic.down.bytes, 700u);
  EXPECT_GT(told.path_mtu, 1280u);
}

}  // namespace
}  // namespace qdt::testing
