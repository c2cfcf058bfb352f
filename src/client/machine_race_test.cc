#include "client/machine_fixture.h"

#include <gmock/gmock.h>

namespace qdt::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using MachineRace = MachineTest;

TEST_F(MachineRace, BeginsAtOnceWithASocketAndAQuestionForTheAddresses) {
  EXPECT_EQ(machine.due(), kStart);
  on(event::Due{});
  EXPECT_TRUE(does<action::OpenSocket>());
  EXPECT_TRUE(does<action::Resolve>());
  EXPECT_EQ(machine.phase(), Phase::kTrying);
}

TEST_F(MachineRace, TriesTheAddressesAQuarterOfASecondApart) {
  begin();
  on(event::Resolved{std::vector{kA6, kA4}, ways({})});
  EXPECT_THAT(started(), ElementsAre(kA6));
  EXPECT_EQ(machine.due(), now + 250ms);
  pass();
  EXPECT_THAT(started(), ElementsAre(kA4));
}

TEST_F(MachineRace, TriesTheNextAddressAtOnceWhereThereIsNoWayToTheFirst) {
  begin();
  resolve({kA6, kA4});
  on(event::NotStarted{attempt, "no route"});
  EXPECT_THAT(started(), ElementsAre(kA4));
}

TEST_F(MachineRace, LetsTheFirstCompleteHandshakeGoOnAlone) {
  begin();
  resolve({kA6, kA4});
  const AttemptId loser = attempt;
  pass();
  started();
  grant();
  EXPECT_EQ(find<action::SetUpHost>()->attempt, attempt);
  on(event::Ended{loser, kNoAnswer});
  on(event::HostReady{attempt});
  EXPECT_TRUE(does<action::Carry>());
  EXPECT_EQ(machine.phase(), Phase::kConnected);
}

TEST_F(MachineRace, TriesTheAddressesOfLastTimeWhenTheNameServersTakeLong) {
  connect();
  lose();
  begin();
  EXPECT_EQ(machine.due(), now + 300ms);
  pass();
  EXPECT_THAT(started(), ElementsAre(kA4));
}

TEST_F(MachineRace, AsksNoSecondTimeWhileTheNameServersThink) {
  begin();
  on(event::Awoke{});
  pass();
  EXPECT_TRUE(does<action::OpenSocket>());
  EXPECT_FALSE(does<action::Resolve>());
}

TEST_F(MachineRace, LeavesWithStatusThreeWhenNobodyAnswersAtFirst) {
  begin();
  resolve({kA4});
  EXPECT_EQ(machine.due(), kStart + 10s);
  pass();
  EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kUnreachable);
  EXPECT_THAT(find<action::Leave>()->outcome.text, HasSubstr("no answer from 192.0.2.1:443"));
}

// Anybody who sees the first packet can forge that the server speaks another version of QUIC.
TEST_F(MachineRace, AsksAgainAServerThatSeemsToSpeakAnotherVersion) {
  begin();
  resolve({kA6, kA4});
  for (int i = 0; i < Machine::kMaxVersionRetries; ++i) {
    on(event::Ended{attempt, kOtherVersion});
    EXPECT_EQ(started(), std::vector{kA6});
  }
  on(event::Ended{attempt, kOtherVersion});
  EXPECT_EQ(started(), std::vector{kA4});
  grant();
  EXPECT_TRUE(does<action::SetUpHost>());
}

TEST_F(MachineRace, BelievesAServerThatGoesOnSpeakingAnotherVersion) {
  begin();
  resolve({kA4});
  for (int i = 0; i < Machine::kMaxVersionRetries; ++i) {
    on(event::Ended{attempt, kOtherVersion});
    EXPECT_EQ(started(), std::vector{kA4});
  }
  on(event::Ended{attempt, kOtherVersion});
  EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kUnreachable);
  EXPECT_EQ(find<action::Leave>()->outcome.text, "another version");
}

TEST_F(MachineRace, SaysThatTheNameServersAreSilent) {
  begin();
  pass();
  EXPECT_EQ(find<action::Leave>()->outcome.text,
            "resolve vpn.test: no answer from the name servers");
}

TEST_F(MachineRace, SaysThatThePathIsNarrow) {
  begin();
  resolve({kA4});
  on(event::NarrowPath{attempt, /*is_refused_here=*/true});
  on(event::Ended{attempt, kNoAnswer});
  EXPECT_THAT(find<action::Leave>()->outcome.text, HasSubstr("this host's own network device"));
}

TEST_F(MachineRace, GivesAnAnswerThatCameLateMoreTimeButNotForEver) {
  begin();
  resolve({kA4});
  now = kStart + 6s;
  on(event::Answered{attempt});
  EXPECT_EQ(machine.due(), kStart + 30s);
  now = kStart + 20s;
  on(event::Answered{attempt});
  EXPECT_EQ(machine.due(), kStart + 40s);
}

TEST_F(MachineRace, EndsAtARefusalThatLasts) {
  begin();
  resolve({kA6, kA4});
  on(event::Ended{attempt, kUnauthorized});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(find<action::Leave>()->outcome.exit, Exit::kRefused);
  EXPECT_EQ(find<action::Leave>()->outcome.text, "refused by the server: unauthorized");
}

TEST_F(MachineRace, WaitsOutARefusalThatPasses) {
  begin();
  resolve({kA4});
  on(event::Ended{attempt, kBusy});
  EXPECT_TRUE(does<action::Report>());
  EXPECT_EQ(machine.state(), State::kRefused);
  EXPECT_GE(machine.due(), now + 200ms);
}

TEST_F(MachineRace, BeginsAgainInAnotherNetwork) {
  begin();
  resolve({kA4});
  on(event::NetworkChanged{.ways = ways(kHome)});
  EXPECT_THAT(actions, IsEmpty());
  on(event::NetworkChanged{.ways = ways(kCafe)});
  EXPECT_TRUE(does<action::Abandon>());
  EXPECT_EQ(machine.due(), now);
}

TEST_F(MachineRace, HearsNothingMoreOfWhatWasAbandoned) {
  begin();
  resolve({kA4});
  const AttemptId abandoned = attempt;
  on(event::Awoke{});
  begin();
  on(event::Ended{abandoned, kUnauthorized});
  on(event::Connected{abandoned, {.local = {kHome, 1}, .remote = kA4}, lease("10.8.0.2")});
  EXPECT_THAT(actions, IsEmpty());
  EXPECT_EQ(machine.phase(), Phase::kTrying);
}

class MachineAtBoot : public MachineTest {
 protected:
  MachineAtBoot() : MachineTest(/*waits_for_server=*/true) {}
};

TEST_F(MachineAtBoot, TriesAtOnceWhenTheNetworkCameWhileTheNameWasResolved) {
  begin();
  on(event::NetworkChanged{});
  on(event::Resolved{fail("no name server"), {}});
  EXPECT_EQ(machine.due(), now);
}

TEST_F(MachineAtBoot, TriesAtOnceWhenTheNameServersAnswerAfterTheDeadline) {
  begin();
  pass();
  EXPECT_EQ(machine.phase(), Phase::kWaiting);
  resolve({kA4});
  EXPECT_EQ(machine.due(), now);
}

TEST_F(MachineRace, KnowsSixteenAddressesOfEachFamily) {
  std::vector<SocketAddress> servers(1000, kA6);
  for (std::uint16_t i = 0; i < 1000; ++i) servers[i].port = i;
  servers.push_back(kA4);
  begin();
  resolve(servers);
  EXPECT_EQ(machine.servers().size(), 17u);
  EXPECT_EQ(machine.servers().back(), kA4);
}

}  // namespace
}  // namespace qdt::client
