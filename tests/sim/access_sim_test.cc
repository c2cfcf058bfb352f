// Users with tokens and limits of their own, end to end.

#include <gtest/gtest.h>

#include <functional>

#include "server/end_walk.h"
#include "server/limit_walk.h"
#include "sim/direct_sim.h"
#include "sim/tunnel_sim.h"

namespace qdt::testing {
namespace {

constexpr std::size_t kBytes = 300;
const SocketAddress kClient3Address{IpAddress::v4(0xc6336403), 40000};

access::UserTable::Snapshot users(std::vector<access::UserTable::Entry> entries,
                                  const access::UserTable* before = nullptr) {
  return *access::UserTable::create(entries, {7}, before);
}

class AccessSim : public TunnelSim {
 protected:
  explicit AccessSim(const wire::Capabilities& caps = wire::Capabilities::supported())
      : TunnelSim({.caps = caps}, {.token = "token of ann", .caps = caps}),
        bob({.token = "token of bob", .caps = caps}, 9) {
    world.attach(kClient2Address, bob, {.delay = 10ms});
  }

  void use(access::UserLimits ann, access::UserLimits of_bob) {
    table = users({{.name = "ann", .token = "token of ann", .limits = ann},
                   {.name = "bob", .token = "token of bob", .limits = of_bob}},
                  table.get());
    server.service.use_users(table);
  }
  access::Account& account(std::size_t user) { return *table->users()[user]->account; }

  struct Arrived {
    std::size_t up = 0;
    std::size_t down = 0;
  };
  // Sends a thousand packets a second each way of each of `nodes`, for `time`; returns how many
  // arrive.
  std::vector<Arrived> send_for(Duration time, const std::vector<ClientNode*>& nodes) {
    std::vector<Arrived> before;
    for (const ClientNode* node : nodes) before.push_back(arrived(*node));
    for (const Timestamp end = world.now() + time; world.now() < end; world.run_for(1ms)) {
      for (ClientNode* node : nodes) {
        const IpAddress& lease = node->response->client_ip;
        node->inject(udp_packet(lease, kInternet, kBytes), world.now());
        server.inject(udp_packet(kInternet, lease, kBytes), world.now());
      }
    }
    world.run_for(1s);
    std::vector<Arrived> after;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Arrived now = arrived(*nodes[i]);
      after.push_back({now.up - before[i].up, now.down - before[i].down});
    }
    return after;
  }
  Arrived arrived(const ClientNode& node) const {
    Arrived count{.down = node.delivered.size()};
    for (const Packet& packet : server.delivered) {
      count.up += wire::parse_ip_packet(packet)->source == node.response->client_ip;
    }
    return count;
  }

  access::UserTable::Snapshot table;
  ClientNode bob;
};

// Packets get through only where both ends have made their keys from the same token.
TEST_F(AccessSim, KeysEachSessionWithTheTokenThatWasShown) {
  use({}, {});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  const auto arrived = send_for(100ms, {&client, &bob});
  for (const Arrived& each : arrived) {
    EXPECT_EQ(each.up, 100u);
    EXPECT_EQ(each.down, 100u);
  }
  EXPECT_EQ(server.drops().total(), 0u);
}

TEST_F(AccessSim, KnowsNobodyWhoIsNotInTheTable) {
  use({}, {});
  ClientNode other({.token = "secret-token"}, 11);  // which the table before had
  world.attach(kClient3Address, other, {.delay = 10ms});
  EXPECT_FALSE(connect(other, kClient3Address));
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kUnauthorized), 1u);
}

TEST_F(AccessSim, LimitsTheSessionsOfAUserTogether) {
  use({.rate = {.per_second = 200, .burst = 20}}, {.rate = {.per_second = 500, .burst = 20}});
  ClientNode bob2({.token = "token of bob"}, 11);
  world.attach(kClient3Address, bob2, {.delay = 10ms});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  ASSERT_TRUE(connect(bob2, kClient3Address));
  const auto of = send_for(4s, {&client, &bob, &bob2});
  EXPECT_NEAR(static_cast<double>(of[0].up), 820, 25);
  EXPECT_NEAR(static_cast<double>(of[0].down), 820, 25);
  EXPECT_NEAR(static_cast<double>(of[1].up + of[2].up), 2020, 40);
  EXPECT_NEAR(static_cast<double>(of[1].down + of[2].down), 2020, 40);
}

// Down packets wait their turn, and leave at the rate. Up the client is told, or its packets are
// dropped.
TEST_F(AccessSim, LimitsTheBitsOfAUserTogether) {
  constexpr std::uint64_t kRate = 1'200'000;  // half of what one session is offered
  constexpr double kPackets = 4. * kRate / 8 / kBytes;
  use({.bits = {.up = kRate, .down = kRate}}, {.bits = {.up = kRate, .down = kRate}});
  ClientNode bob2({.token = "token of bob"}, 11);
  world.attach(kClient3Address, bob2, {.delay = 10ms});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  ASSERT_TRUE(connect(bob2, kClient3Address));
  send_for(2s, {&client, &bob, &bob2});
  world.run_for(2s);
  const auto of = send_for(4s, {&client, &bob, &bob2});
  // What waits at the end still arrives.
  EXPECT_NEAR(static_cast<double>(of[0].down), kPackets, 0.3 * kPackets);
  EXPECT_NEAR(static_cast<double>(of[1].down + of[2].down), kPackets, 0.3 * kPackets);
  EXPECT_NEAR(static_cast<double>(of[0].up), kPackets, 0.15 * kPackets);
  EXPECT_NEAR(static_cast<double>(of[1].up + of[2].up), kPackets, 0.15 * kPackets);
}

// What waits longer than a second goes, and then there is nothing to wake up for.
TEST_F(AccessSim, GivesUpWhatWaitsTooLongForItsRate) {
  use({.bits = {.up = 0, .down = 16'000}}, {});
  ASSERT_TRUE(connect());
  const std::size_t before = client.delivered.size();
  for (int i = 0; i < 100; ++i) {
    server.inject(udp_packet(kInternet, client.response->client_ip, kBytes), world.now());
  }
  world.run_for(10s);
  const std::size_t arrived = client.delivered.size() - before;
  EXPECT_GE(arrived, 5u);
  EXPECT_LE(arrived, 40u);
  EXPECT_EQ(server.tunnel().sessions().find(client.response->client_ip)->queued_packets(), 0u);
}

TEST_F(AccessSim, LimitsASessionByItself) {
  use({.session_rate = {.per_second = 100, .burst = 10}}, {});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  const auto of = send_for(2s, {&client, &bob});
  EXPECT_NEAR(static_cast<double>(of[0].up), 210, 3);
  EXPECT_EQ(of[1].up, 2000u);
}

TEST_F(AccessSim, GivesSessionsThatAreThereOtherLimits) {
  use({}, {.session_rate = {.per_second = 100, .burst = 10}});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  EXPECT_EQ(send_for(1s, {&client, &bob})[0].up, 1000u);

  use({.session_rate = {.per_second = 100, .burst = 10}},
      {.rate = {.per_second = 500, .burst = 20}});
  const auto& sessions = server.tunnel().sessions();
  server::LimitWalk walk(server::LimitWalk::limits_of(*table));
  while (!walk.step(sessions, world.now())) {
  }
  auto of = send_for(2s, {&client, &bob});
  EXPECT_NEAR(static_cast<double>(of[0].up), 210, 3);
  EXPECT_NEAR(static_cast<double>(of[0].down), 210, 3);
  EXPECT_NEAR(static_cast<double>(of[1].up), 1020, 40);

  // A session whose user has gone keeps its limits.
  table = users({{.name = "ann", .token = "token of ann", .limits = {}}}, table.get());
  server::LimitWalk other(server::LimitWalk::limits_of(*table));
  while (!other.step(sessions, world.now())) {
  }
  of = send_for(2s, {&client, &bob});
  EXPECT_GE(of[0].up, 1990u);  // its own queue may stand for a moment (CoDel)
  EXPECT_NEAR(static_cast<double>(of[1].up), 1020, 40);
  EXPECT_EQ(sessions.size(), 2u);
}

TEST_F(AccessSim, BoundsTheSessionsOfAUser) {
  use({.max_sessions = 1}, {.max_sessions = 2});
  ClientNode ann2({.token = "token of ann"}, 11);
  world.attach(kClient3Address, ann2, {.delay = 10ms});
  ASSERT_TRUE(connect());
  EXPECT_FALSE(connect(ann2, kClient3Address));
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kBusy), 1u);
  ASSERT_TRUE(connect(bob, kClient2Address));
  EXPECT_EQ(account(0).sessions(), 1u);
  EXPECT_EQ(server.admission.sessions(), 2u);  // a refusal leaves no place taken
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  EXPECT_EQ(account(0).sessions(), 0u);
  ann2.ending.reset();
  EXPECT_TRUE(connect(ann2, kClient3Address));
}

TEST_F(AccessSim, LetsSessionsLiveOnWhenTheTableIsExchanged) {
  use({.max_sessions = 1}, {});
  ASSERT_TRUE(connect());
  access::Account& ann = account(0);
  const auto before = table;
  table =
      users({{.name = "ann", .token = "new token", .limits = {.max_sessions = 1}}}, before.get());
  server.service.use_users(table);

  EXPECT_EQ(send_for(100ms, {&client})[0].up, 100u);
  EXPECT_FALSE(connect(bob, kClient2Address));
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kUnauthorized), 1u);
  ClientNode again({.token = "new token"}, 11);
  world.attach(kClient3Address, again, {.delay = 10ms});
  EXPECT_FALSE(connect(again, kClient3Address));  // the session of the old token counts
  EXPECT_EQ(server.handshakes.value(wire::HandshakeResult::kBusy), 1u);
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  again.ending.reset();
  EXPECT_TRUE(connect(again, kClient3Address));
  EXPECT_EQ(&account(0), &ann);
}

TEST_F(AccessSim, LetsASessionOutliveItsUser) {
  use({.rate = {.per_second = 200, .burst = 20}}, {});
  ASSERT_TRUE(connect());
  const std::weak_ptr<access::Account> account = table->users()[0]->account;
  table.reset();
  server.service.use_users(users({}));
  EXPECT_NEAR(static_cast<double>(send_for(2s, {&client})[0].up), 420, 25);
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  EXPECT_TRUE(account.expired());
  EXPECT_EQ(server.admission.sessions(), 0u);
}

// Both have devices with a token of their own, as the users of a store have.
class DeviceSim : public AccessSim {
 protected:
  using Entries = std::vector<access::UserTable::Entry>;
  static access::UserTable::Entry user(const std::string& name, const std::string& token) {
    return {.name = name, .devices = {{.name = "phone", .token = token}}};
  }
  void use_devices(Entries entries, const server::EndWalk::Ends& ends = {}) {
    std::vector<IpAddress> addresses;
    for (const auto& entry : entries) {
      for (const auto& device : entry.devices) {
        if (device.address) addresses.push_back(*device.address);
      }
    }
    table = users(std::move(entries), table.get());
    auto fixed = server.book.fix(addresses);
    server.service.use_users(table);
    server::EndWalk walk(server::EndWalk::rights_of(*table, ends, std::move(fixed)));
    while (!walk.step(server.tunnel(), world.now())) {
    }
    world.run_for(1s);
  }
  void connect_both() {
    use_devices({user("ann", "token of ann"), user("bob", "token of bob")});
    ASSERT_TRUE(connect());
    ASSERT_TRUE(connect(bob, kClient2Address));
  }
  std::string why_ended(const ClientNode& node) const {
    return node.ending ? node.ending->text : "it has not ended";
  }
};

TEST_F(DeviceSim, EndsTheSessionsOfAUserWhoIsGoneAndNoOther) {
  connect_both();
  use_devices({user("bob", "token of bob")});
  EXPECT_EQ(why_ended(client), "the server's operator removed this user");
  EXPECT_EQ(send_for(100ms, {&bob})[0].up, 100u);
  EXPECT_EQ(server.tunnel().sessions().size(), 1u);
}

TEST_F(DeviceSim, TellsWhyAUserMayNotStay) {
  connect_both();
  use_devices(
      {}, {{"ann", tunnel::SessionEnd::kUserDisabled}, {"bob", tunnel::SessionEnd::kUserExpired}});
  EXPECT_EQ(why_ended(client), "the server's operator disabled this user");
  EXPECT_EQ(why_ended(bob), "this user's time at the server is over");
}

TEST_F(DeviceSim, EndsSessionsThatHaveTheAddressOfAnotherOrNotTheirOwn) {
  connect_both();
  auto ann = user("ann", "token of ann");
  ann.devices[0].address = *IpAddress::parse("10.9.0.2");
  use_devices({ann, user("bob", "token of bob")});
  EXPECT_EQ(server.tunnel().sessions().size(), 2u) << "the pool has no such address";
  ann.devices[0].address = bob.response->client_ip;
  use_devices({ann, user("bob", "token of bob")});
  EXPECT_EQ(why_ended(client), "the server's operator ended the session");
  EXPECT_EQ(why_ended(bob), "the server's operator ended the session");
  client.response.reset();
  client.ending.reset();
  ASSERT_TRUE(connect());
  EXPECT_EQ(client.response->client_ip, *ann.devices[0].address);
}

TEST_F(DeviceSim, TellsThatAQuotaIsUsedUp) {
  connect_both();
  use_devices({user("bob", "token of bob")}, {{"ann", tunnel::SessionEnd::kQuotaUsedUp}});
  EXPECT_EQ(why_ended(client), "this user's quota at the server is used up");
}

TEST_F(DeviceSim, MetersWhatEachDeviceCarriesToTheLastByte) {
  connect_both();
  const auto of_ann = table->users()[0]->meters.at(0);
  const auto of_bob = table->users()[1]->meters.at(0);
  send_for(500ms, {&client});
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  const auto reading = of_ann->take();
  EXPECT_GT(reading.up_bytes, 0u);
  EXPECT_EQ(reading.up_bytes, table->users()[0]->account->traffic().up.bytes);
  EXPECT_EQ(reading.down_bytes, table->users()[0]->account->traffic().down.bytes);
  EXPECT_TRUE(reading.is_seen);
  EXPECT_EQ(of_bob->take().up_bytes, 0u);
}

TEST_F(DeviceSim, SeesADeviceThatSendsNothingButAnswers) {
  connect_both();
  const auto meter = table->users()[0]->meters.at(0);
  meter->take();
  world.run_for(60s);
  EXPECT_TRUE(meter->take().is_seen);
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(2s);
  meter->take();
  world.run_for(60s);
  EXPECT_FALSE(meter->take().is_seen);
}

TEST_F(DeviceSim, EndsTheSessionOfADeviceThatHasAnotherKey) {
  connect_both();
  use_devices({user("ann", "another token"), user("bob", "token of bob")});
  EXPECT_EQ(why_ended(client), "the server's operator removed this device, or gave it another key");
  EXPECT_EQ(why_ended(bob), "it has not ended");
}

TEST_F(DeviceSim, EndsNoSessionOfTheConfigurationsUser) {
  use_devices({{.name = "", .token = "token of ann"}, user("bob", "token of bob")});
  ASSERT_TRUE(connect());
  use_devices({{.name = "", .token = "another token"}});
  EXPECT_EQ(why_ended(client), "it has not ended");
  EXPECT_EQ(server.tunnel().sessions().size(), 1u);
}

TEST_F(AccessSim, CountsForEachSessionAndForEachUser) {
  use({.session_rate = {.per_second = 1, .burst = 60}}, {});
  ClientNode bob2({.token = "token of bob"}, 11);
  world.attach(kClient3Address, bob2, {.delay = 10ms});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  ASSERT_TRUE(connect(bob2, kClient3Address));
  send_for(100ms, {&client, &bob, &bob2});
  world.run_for(2s);

  const auto usage = table->usage();
  // The limit lets one more pass each second.
  EXPECT_NEAR(static_cast<double>(usage[0].traffic.up.packets), 61, 1);
  EXPECT_EQ(usage[0].traffic.up.packets + usage[0].traffic.up.drops, 100u);
  EXPECT_EQ(usage[0].traffic.down.packets + usage[0].traffic.down.drops, 100u);
  EXPECT_EQ(usage[0].traffic.up.bytes, usage[0].traffic.up.packets * kBytes);
  EXPECT_EQ(usage[1].sessions, 2u);
  EXPECT_EQ(usage[1].traffic.up, (access::Traffic::Way{.packets = 200, .bytes = 200 * kBytes}));
  EXPECT_EQ(usage[1].traffic.down, (access::Traffic::Way{.packets = 200, .bytes = 200 * kBytes}));
  const auto* of_bob2 = server.tunnel().sessions().find(bob2.response->client_ip);
  EXPECT_EQ(of_bob2->traffic().up, (access::Traffic::Way{.packets = 100, .bytes = 100 * kBytes}));
}

TEST_F(AccessSim, CountsWhatASessionCarriedLast) {
  use({}, {});
  ASSERT_TRUE(connect());
  world.run_for(1100ms);
  client.inject(up(kBytes), world.now());
  world.run_for(50ms);
  client.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(100ms);  // before the second is over
  EXPECT_EQ(table->usage()[0].sessions, 0u);
  EXPECT_EQ(table->usage()[0].traffic.up.packets, 1u);
}

TEST_F(AccessSim, CountsWhatItsQueueDrops) {
  use({}, {});
  ASSERT_TRUE(connect());
  world.run_for(3s);
  for (int i = 0; i < 5000; ++i) server.inject(down(1350), world.now());
  world.run_for(5s);
  const auto& total = server.drops();
  EXPECT_GT(total.value(Drop::kQueueFull), 1000u);
  EXPECT_EQ(table->usage()[0].traffic.down.drops, total.total());
}

// Strangers cannot make a user's account grow.
TEST_F(AccessSim, CountsNothingThatAStrangerSends) {
  use({}, {});
  ASSERT_TRUE(connect());
  server.inject(udp_packet(kInternet, IpAddress::v4(0x0a080099), 100), world.now());
  client.inject(udp_packet(IpAddress::v4(0x0a080099), kInternet, 100), world.now());
  world.run_for(2s);
  EXPECT_EQ(table->usage()[0].traffic, access::Traffic());
}

class DirectAccessSim : public AccessSim {
 protected:
  DirectAccessSim() : AccessSim(with_shared_id()) {}
};

TEST_F(DirectAccessSim, KeysTheDirectPlaneWithTheTokenThatWasShown) {
  use({}, {.rate = {.per_second = 500, .burst = 20}});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(connect(bob, kClient2Address));
  world.run_for(2s);
  for (const auto& session : server.tunnel().sessions()) {
    EXPECT_TRUE(session->direct()->is_usable());
  }
  const auto of = send_for(2s, {&client, &bob});
  EXPECT_EQ(of[0].up, 2000u);
  EXPECT_EQ(of[0].down, 2000u);
  EXPECT_NEAR(static_cast<double>(of[1].up), 1020, 30);
  EXPECT_NEAR(static_cast<double>(of[1].down), 1020, 30);
}

}  // namespace
}  // namespace qdt::testing
