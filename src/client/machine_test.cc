#include "client/machine_fixture.h"

#include <gmock/gmock.h>

namespace qdt::client {
namespace {

using ::testing::IsEmpty;

using MachineSession = MachineTest;

TEST_F(MachineSession, CarriesPacketsOnlyOnceTheHostIsSetUp) {
  begin();
  resolve({kA4});
  grant();
  EXPECT_TRUE(does<action::SetUpHost>());
  EXPECT_FALSE(does<action::Carry>());
  on(event::HostReady{attempt});
  EXPECT_EQ(find<action::KeepToken>()->token, "token of 10.8.0.2");
  EXPECT_EQ(find<action::Carry>()->server, kA4);
  EXPECT_TRUE(does<action::Report>());
  EXPECT_EQ(machine.due(), kNever);
}

TEST_F(MachineSession, SetsTheHostUpAgainOnlyForAnotherGrant) {
  connect();
  lose();
  connect();
  EXPECT_TRUE(does<action::Carry>());
  EXPECT_FALSE(does<action::SetUpHost>());
  lose();
  begin();
  resolve({kA4});
  grant("10.8.0.3");
  EXPECT_TRUE(does<action::SetUpHost>());
}

// It may have come to a LAN with the pool's addresses meanwhile.
TEST_F(MachineSession, FollowsTheNetworksThatCameWhileItWasNotConnected) {
  connect();
  lose();
  connect();
  EXPECT_TRUE(does<action::FollowNetworks>());
}

TEST_F(MachineSession, SetsTheHostUpAgainAfterASetUpThatFailed) {
  connect("10.8.0.2");
  lose();
  begin();
  resolve({kA4});
  grant("10.9.0.2");
  on(event::HostFailed{attempt, "name servers"});
  connect("10.8.0.2");
  EXPECT_EQ(machine.phase(), Phase::kConnected);
  EXPECT_FALSE(does<action::FollowNetworks>());
}

TEST_F(MachineSession, LeavesWithStatusOneWhereTheHostCannotBeSetUpAtFirst) {
  begin();
  resolve({kA4});
  grant();
  on(event::HostFailed{attempt, "add an address"});
  EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kHost);
}

TEST_F(MachineSession, TriesAgainWhereTheHostCannotBeSetUpLater) {
  connect();
  lose();
  begin();
  resolve({kA4});
  grant("10.8.0.3");
  on(event::HostFailed{attempt, "add an address"});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.reason(), "the connection was lost: add an address");
  EXPECT_GE(machine.due(), now + 200ms);
}

TEST_F(MachineSession, GoesOnFromAnotherSocketWhenNobodyAnswers) {
  connect();
  on(event::Silence{attempt});
  EXPECT_TRUE(does<action::ReportSilence>());
  EXPECT_EQ(find<action::Rebind>()->why, "nobody answers");
  EXPECT_EQ(machine.phase(), Phase::kConnected);
}

TEST_F(MachineSession, ConnectsAnewAtOnceWhenTheSilenceLasts) {
  connect();
  now += 1min;
  on(event::Silence{attempt});
  on(event::Ended{attempt, kLost});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.state(), State::kReconnecting);
  EXPECT_EQ(machine.due(), now);
  begin();
  EXPECT_EQ(machine.phase(), Phase::kTrying);
}

TEST_F(MachineSession, ForgetsItsTokenWhenAnotherClientHasTheSession) {
  connect();
  on(event::Ended{attempt, {Kind::kLost, "replaced", /*is_lasting=*/true}});
  EXPECT_EQ(find<action::KeepToken>()->token, "");
  EXPECT_EQ(machine.due(), now + 1min);
}

TEST_F(MachineSession, ItsDeviceFollowsThePath) {
  connect();
  on(event::PathChanged{attempt, {.path_mtu = 1400, .tunnel_mtu = 1320}});
  EXPECT_EQ(find<action::FollowPath>()->sizes.tunnel_mtu, 1320u);
  EXPECT_EQ(machine.sizes().path_mtu, 1400u);
}

TEST_F(MachineSession, ItsHostFollowsTheRoutes) {
  connect();
  on(event::PathChanged{attempt, {.path_mtu = 1400, .tunnel_mtu = 1320}});
  wire::ConnectResponse other = lease("10.8.0.2");
  other.routes = {*Prefix::parse("10.20.0.0/16")};
  on(event::RoutesChanged{attempt, other});
  EXPECT_EQ(find<action::SetUpHost>()->grant.routes, other.routes);
  EXPECT_EQ(machine.phase(), Phase::kConnected);
  on(event::HostReady{attempt});
  EXPECT_EQ(machine.granted()->routes, other.routes);
  EXPECT_EQ(find<action::FollowPath>()->sizes.tunnel_mtu, 1320u);  // the host had another MTU
}

TEST_F(MachineSession, EndsWhereTheHostCannotFollowTheRoutes) {
  connect();
  on(event::RoutesChanged{attempt, lease("10.8.0.2")});
  on(event::HostFailed{attempt, "a LAN has them"});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.phase(), Phase::kWaiting);
}

TEST_F(MachineSession, DoesOnceTheHostIsSetUpWhatCameMeanwhile) {
  begin();
  resolve({kA4});
  grant();
  on(event::PathChanged{attempt, {.path_mtu = 1400, .tunnel_mtu = 1320}});
  on(event::RoutesChanged{attempt, lease("10.8.0.2")});
  on(event::Awoke{});
  EXPECT_THAT(actions, IsEmpty());
  on(event::HostReady{attempt});
  EXPECT_TRUE(does<action::FollowPath>());
  EXPECT_TRUE(does<action::SetUpHost>());
  EXPECT_EQ(find<action::Rebind>()->why, "this host was asleep");
}

TEST_F(MachineSession, NoticesAnEndThatCameWhileTheHostWasSetUp) {
  begin();
  resolve({kA4});
  grant();
  on(event::Ended{attempt, kLost});
  on(event::HostReady{attempt});
  EXPECT_EQ(machine.phase(), Phase::kWaiting);
  EXPECT_TRUE(does<action::Abandon>());
}

using MachineRoam = MachineTest;

TEST_F(MachineRoam, GoesOnFromAnotherAddress) {
  connect();
  roam(kHome);
  EXPECT_FALSE(does<action::Rebind>());
  roam(kCafe);
  EXPECT_EQ(find<action::Rebind>()->why, "this host's address is another");
  on(event::Rebound{attempt, kCafe});
  roam(kCafe);
  EXPECT_FALSE(does<action::Rebind>());
}

TEST_F(MachineRoam, WaitsForTheNetworkToComeBack) {
  connect();
  roam({});
  EXPECT_FALSE(does<action::Abandon>());
  EXPECT_EQ(machine.phase(), Phase::kConnected);
  roam(kHome);
  EXPECT_EQ(find<action::Rebind>()->why, "the network is back");
}

TEST_F(MachineRoam, TriesAgainWhereNoSocketCouldBeHad) {
  connect();
  on(event::Awoke{});
  on(event::Rebound{attempt, std::nullopt});
  roam(kHome);
  EXPECT_EQ(find<action::Rebind>()->why, "the network is back");
}

TEST_F(MachineRoam, ConnectsAnewWhereOnlyAnotherAddressOfTheServerCanBeReached) {
  connect();
  on(event::Resolved{std::vector{kA4, kA6}, {kHome, std::nullopt}});
  on(event::NetworkChanged{.ways = {std::nullopt, kCafe}});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.reason(),
            "the connection was lost: there is no way to 192.0.2.1:443 any more, but to another of "
            "its addresses");
}

TEST_F(MachineRoam, FollowsTheNetworksOfItsHost) {
  connect();
  roam(kHome);
  EXPECT_TRUE(does<action::FollowNetworks>());
}

TEST_F(MachineRoam, TriesAtOnceWhileItWaits) {
  connect();
  on(event::Ended{attempt, kLost});
  EXPECT_GE(machine.due(), now + 200ms);
  roam(kHome);
  EXPECT_GE(machine.due(), now + 200ms);
  roam(kCafe);
  EXPECT_EQ(machine.due(), now);
}

using MachineLease = MachineTest;

TEST_F(MachineLease, AsksForAnotherWhereThisHostHasThatAddress) {
  begin();
  resolve({kA4});
  grant("10.8.0.2", "the server lends 10.8.0.2, which is this host's own address");
  EXPECT_TRUE(does<action::SetAside>());
  EXPECT_FALSE(does<action::SetUpHost>());
  EXPECT_EQ(find<action::KeepToken>()->token, "");
  EXPECT_EQ(machine.due(), now);
  connect("10.8.0.3");
  EXPECT_EQ(machine.phase(), Phase::kConnected);
}

TEST_F(MachineLease, LeavesWithStatusOneAfterThreeOfThem) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(machine.phase(), Phase::kWaiting);
    begin();
    resolve({kA4});
    grant("10.8.0.2", "own");
  }
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kHost);
}

TEST_F(MachineLease, GivesUpOneThatBecomesThisHostsOwn) {
  connect();
  now += 1min;
  on(event::NetworkChanged{.ways = ways(kHome), .session_way = kHome, .own_lease = "own"});
  EXPECT_TRUE(does<action::ReleaseLease>());
  EXPECT_TRUE(does<action::SetAside>());
  EXPECT_FALSE(machine.granted());
  EXPECT_EQ(machine.due(), now);
}

TEST_F(MachineLease, EndsWhatWasSetAsideWhenTheServerHasNoOtherAddress) {
  begin();
  resolve({kA4});
  grant("10.8.0.2", "own");
  begin();
  resolve({kA4});
  on(event::Ended{attempt, kBusy});
  EXPECT_TRUE(does<action::Abandon>());
}

// The first set-up was long ago.
TEST_F(MachineLease, GoesOnTryingWhenTheHostCannotBeSetUpForTheNext) {
  connect();
  on(event::NetworkChanged{.ways = ways(kHome), .session_way = kHome, .own_lease = "own"});
  connect("10.8.0.3");
  lose();
  begin();
  resolve({kA4});
  grant("10.8.0.4");
  on(event::HostFailed{attempt, "add an address"});
  EXPECT_EQ(machine.phase(), Phase::kWaiting);
}

using MachineHost = MachineTest;

TEST_F(MachineHost, IsDegradedWhenAFaultLastsASecond) {
  connect();
  on(event::HostLooked{"no route"});
  EXPECT_THAT(actions, IsEmpty());
  now += 1s;
  on(event::HostLooked{"no route"});
  EXPECT_EQ(find<action::Log>()->text, "degraded: no route");
  EXPECT_TRUE(does<action::ReportHealth>());
  EXPECT_EQ(machine.state(), State::kDegraded);
  EXPECT_EQ(machine.reason(), "no route");
  EXPECT_EQ(machine.since(), now);
}

TEST_F(MachineHost, IsConnectedAgainWhenTheFaultIsOver) {
  connect();
  on(event::HostLooked{"others undo it", /*is_contested=*/true});
  EXPECT_EQ(machine.state(), State::kDegraded);
  on(event::HostLooked{});
  EXPECT_EQ(find<action::Log>()->text, "this host's network is again as it has to be");
  EXPECT_EQ(machine.state(), State::kConnected);
}

TEST_F(MachineHost, LeavesWithStatusFourInEveryPhaseWhenNobodyLooksAfterItAnyMore) {
  in_every_phase([this] {
    Machine copy = machine;
    actions = copy.on(event::HostProcessEnded{"it was killed"}, now);
    ASSERT_EQ(actions.size(), 1u);
    EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kHostLost);
    EXPECT_FALSE(find<action::Leave>()->lets_go);
    EXPECT_EQ(find<action::Leave>()->outcome.text, "it was killed");
  });
}

TEST_F(MachineHost, ConnectsAnewWhenSomebodyAsks) {
  connect();
  on(event::Reconnect{});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.phase(), Phase::kWaiting);
  EXPECT_EQ(machine.reason(), "the connection was lost: somebody asked for a new one");
  EXPECT_LE(machine.due(), now);
}

// SIGTERM, Ctrl-C and the SIGHUP of a closed terminal are one event.
TEST_F(MachineHost, StopsInEveryPhaseAtOnce) {
  in_every_phase([this] {
    Machine copy = machine;
    actions = copy.on(event::Stop{}, now);
    ASSERT_EQ(actions.size(), 1u);
    EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kStopped);
    EXPECT_TRUE(find<action::Leave>()->lets_go);
    EXPECT_THAT(copy.on(event::Due{}, now + 1h), IsEmpty());
    EXPECT_EQ(copy.due(), kNever);
  });
}

}  // namespace
}  // namespace qdt::client
