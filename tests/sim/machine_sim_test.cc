// A client's machine with a real connector, tunnel and server, on virtual time.

#include <gtest/gtest.h>

#include <deque>

#include "client/machine.h"
#include "sim/nodes.h"

namespace qdt::testing {
namespace {

using client::Machine;
namespace action = client::action;
namespace event = client::event;

const IpAddress kHome = kClientAddress.address;
const IpAddress kCafe = IpAddress::v4(0xcb007107);
// The first race's.
const SocketAddress kFirstSocket{kHome, static_cast<std::uint16_t>(kClientAddress.port + 1)};
constexpr int kSockets = 20;
const SocketAddress kDead{IpAddress::v4(0xc0000209), 443};

/// The shell around the machine, as client::Client in a program, but without a host to set up.
class MachineNode final : public TunnelNode, private client::ConnectorEvents {
 public:
  MachineNode(std::vector<SocketAddress> servers, Timestamp now)
      : machine({.server_host = "vpn.test", .reconnect = {.waits_for_server = true}}, random, now),
        connector({.token = "secret-token", .server_name = "localhost"}, test_client_tls(), *this,
                  random),
        servers_(std::move(servers)),
        tunnel_({.role = Role::kClient, .max_packet_bytes = 4096}, nullptr, connector, random,
                counters, payloads) {}

  tunnel::Tunnel& tunnel() override { return tunnel_; }
  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
               Timestamp now) override {
    TunnelNode::receive(path, ecn, payload, out, now);
    handle_all(now);
  }
  Timestamp next_timeout() override { return std::min(tunnel_.next_timeout(), machine.due()); }
  void handle_timeouts(Timestamp now) override {
    TunnelNode::handle_timeouts(now);
    if (now >= machine.due()) events_.emplace_back(event::Due{});
    handle_all(now);
  }

  void handle(client::Event event, Timestamp now) {
    events_.push_back(std::move(event));
    handle_all(now);
  }
  /// This host is somewhere else, or nowhere.
  void move_to(std::optional<IpAddress> address, Timestamp now) {
    here_ = address;
    event::NetworkChanged changed{.ways = ways()};
    if (machine.session_server() != nullptr) changed.session_way = here_;
    handle(changed, now);
  }
  bool is_connected() const { return machine.phase() == Machine::Phase::kConnected; }
  std::uint64_t connects() const { return machine.reconnect().connects(); }

  SeededRandom random{2};
  Machine machine;
  client::Connector connector;
  std::optional<client::Outcome> outcome;
  int rebinds = 0;

 private:
  // Ports are used in turn: the world has kSockets of them.
  std::uint16_t next_port() {
    sockets_ = sockets_ % kSockets + 1;
    return static_cast<std::uint16_t>(kClientAddress.port + sockets_);
  }
  client::Ways ways() const { return client::Ways(servers_.size(), here_); }
  void handle_all(Timestamp now) {
    for (; !events_.empty(); events_.pop_front()) {
      const client::Event event = events_.front();
      for (const client::Action& action : machine.on(event, now)) {
        std::visit([&](const auto& one) { act(one, now); }, action);
      }
    }
    collect(now);
  }

  void act(const action::Resolve&, Timestamp) {
    events_.emplace_back(event::Resolved{servers_, ways()});
  }
  void act(const action::OpenSocket& open, Timestamp) {
    port_ = next_port();
    events_.emplace_back(event::SocketOpened{open.race, ways()});
  }
  void act(const action::StartAttempt& start, Timestamp now) {
    if (!here_) {
      events_.emplace_back(event::NotStarted{start.attempt, "no way"});
    } else {
      connector.connect(tunnel_, {{*here_, port_}, start.server}, start.attempt, now);
    }
  }
  void act(const action::Abandon&, Timestamp now) { connector.abandon(tunnel_, now); }
  void act(const action::SetUpHost& set_up, Timestamp) {
    events_.emplace_back(event::HostReady{set_up.attempt});
  }
  void act(const action::Rebind& rebind, Timestamp now) {
    ++rebinds;
    port_ = next_port();
    if (here_) connector.migrate(tunnel_, {{*here_, port_}, rebind.server}, now);
    events_.emplace_back(event::Rebound{rebind.attempt, here_});
  }
  void act(const action::Leave& leave, Timestamp now) {
    outcome = leave.outcome;
    tunnel_.close_all(tunnel::SessionEnd::kDone, "", now);
  }
  template <typename Other>
  void act(const Other&, Timestamp) {}

  void on_connected(client::AttemptId attempt, const UdpPath& path,
                    const wire::ConnectResponse& response) override {
    events_.emplace_back(event::Connected{attempt, path, response});
  }
  void on_ended(client::AttemptId attempt, const client::Ending& ending) override {
    events_.emplace_back(event::Ended{attempt, ending});
  }
  void on_silence(client::AttemptId attempt) override {
    events_.emplace_back(event::Silence{attempt});
  }
  void on_answer(client::AttemptId attempt) override {
    events_.emplace_back(event::Answered{attempt});
  }

  std::vector<SocketAddress> servers_;
  std::deque<client::Event> events_;
  std::optional<IpAddress> here_ = kHome;
  int sockets_ = 0;  // so many before
  std::uint16_t port_ = 0;
  tunnel::Tunnel tunnel_;
};

class MachineSim : public ::testing::Test {
 protected:
  explicit MachineSim(std::vector<SocketAddress> servers = {kServerAddress})
      : client(std::move(servers), world.now()) {
    world.attach(kServerAddress, server, {.delay = 20ms});
    set_uplinks({.delay = 20ms}, /*is_new=*/true);
  }
  void set_uplinks(const LinkOptions& link, bool is_new = false) {
    for (const IpAddress& address : {kHome, kCafe}) {
      for (int i = 1; i <= kSockets; ++i) {
        const SocketAddress socket{address, static_cast<std::uint16_t>(kClientAddress.port + i)};
        if (is_new) world.attach(socket, client);
        world.set_link(socket, here_ == address ? link : LinkOptions{.loss = 1});
      }
    }
  }
  /// The client's host is somewhere else, or nowhere; where it was, nothing leaves any more.
  void move_to(std::optional<IpAddress> address) {
    here_ = address;
    set_uplinks({.delay = 20ms});
    client.move_to(address, world.now());
  }
  bool connect() {
    return world.run_until([this] { return client.is_connected(); }, 10s);
  }
  /// Packets to the server, for so long.
  void talk(Duration duration) {
    for (; duration > Duration::zero(); duration -= 100ms) {
      if (client.tunnel().sessions().size() > 0) {
        client.inject(udp_packet(client.machine.granted()->client_ip, kInternet, 200), world.now());
      }
      world.run_for(100ms);
    }
  }
  /// Whether what the client sends now arrives.
  bool carries() {
    server.delivered.clear();
    talk(1s);
    return !server.delivered.empty();
  }
  std::size_t sessions() { return server.tunnel().sessions().size(); }

  SimWorld world{1};
  ServerNode server;
  MachineNode client;

 private:
  std::optional<IpAddress> here_ = kHome;
};

class MachineRaceSim : public MachineSim {
 protected:
  MachineRaceSim() : MachineSim({kDead, kServerAddress}) {}
};

TEST_F(MachineRaceSim, ADeadAddressCostsAQuarterOfASecond) {
  EXPECT_TRUE(world.run_until([this] { return client.is_connected(); }, 600ms));
  world.run_for(1s);
  EXPECT_EQ(client.tunnel().sessions().size(), 1u);
  EXPECT_EQ(sessions(), 1u);
  EXPECT_TRUE(carries());
}

TEST_F(MachineSim, GoesOnFromAnotherSocketWhenANatForgetsTheOldOne) {
  ASSERT_TRUE(connect());
  const std::uint64_t heard = server.delivered.size();
  world.set_link(kFirstSocket, {.loss = 1});
  talk(4s);
  EXPECT_GT(server.delivered.size(), heard);
  EXPECT_GE(client.rebinds, 1);
  EXPECT_EQ(client.connects(), 1u);
  EXPECT_EQ(sessions(), 1u);
}

TEST_F(MachineSim, ConnectsAnewAfterALongSilence) {
  ASSERT_TRUE(connect());
  talk(6s);
  set_uplinks({.loss = 1});
  talk(20s);
  EXPECT_FALSE(client.is_connected());
  EXPECT_EQ(client.machine.state(), client::State::kReconnecting);
  set_uplinks({.delay = 20ms});
  ASSERT_TRUE(world.run_until([this] { return client.is_connected(); }, 45s));
  EXPECT_EQ(client.connects(), 2u);
  EXPECT_EQ(client.tunnel().sessions().size(), 1u);
  EXPECT_TRUE(carries());
}

TEST_F(MachineSim, RoamsWithItsSession) {
  ASSERT_TRUE(connect());
  move_to(std::nullopt);
  world.run_for(1s);
  move_to(kCafe);
  EXPECT_TRUE(carries());
  EXPECT_EQ(client.connects(), 1u);
  EXPECT_EQ(sessions(), 1u);
}

TEST_F(MachineSim, TellsTheServerWhenItsHostProcessHasEnded) {
  ASSERT_TRUE(connect());
  client.handle(event::HostProcessEnded{"killed"}, world.now());
  world.run_for(1s);
  ASSERT_TRUE(client.outcome);
  EXPECT_EQ(client.outcome->exit, client::Exit::kHostLost);
  EXPECT_EQ(sessions(), 0u);
}

TEST_F(MachineSim, HasOneSessionInAnyWeatherAndCarriesOnceItIsOver) {
  ASSERT_TRUE(connect());
  SeededRandom& weather = world.random();
  for (int i = 0; i < 100; ++i) {
    switch (weather.below(6)) {
      case 0: set_uplinks({.loss = 1}); break;
      case 1: move_to(std::nullopt); break;
      case 2: move_to(kCafe); break;
      case 3: client.handle(event::Awoke{}, world.now()); break;
      default: move_to(kHome);
    }
    talk(100ms * (1 + static_cast<int>(weather.below(40))));
    ASSERT_LE(client.tunnel().sessions().size(), 1u);
  }
  EXPECT_GT(client.connects(), 1u);
  move_to(kHome);
  EXPECT_TRUE(world.run_until([this] { return client.is_connected(); }, 1min));
  EXPECT_TRUE(carries());
}

// SIGTERM, or the SIGHUP of a closed terminal, at any moment of a connection's beginning.
TEST(MachineStopSim, LeavesNoSessionWheneverItIsStopped) {
  for (Duration after{}; after < 200ms; after += 10ms) {
    SimWorld world(1);
    ServerNode server;
    MachineNode client({kDead, kServerAddress}, world.now());
    world.attach(kServerAddress, server, {.delay = 20ms});
    world.attach(kFirstSocket, client, {.delay = 20ms});
    world.run_for(250ms + after);
    client.handle(event::Stop{}, world.now());
    world.run_for(1s);
    ASSERT_TRUE(client.outcome);
    EXPECT_EQ(client.outcome->exit, client::Exit::kStopped);
    EXPECT_EQ(server.tunnel().sessions().size(), 0u);
    EXPECT_EQ(client.tunnel().sessions().size(), 0u);
  }
}

}  // namespace
}  // namespace qdt::testing
