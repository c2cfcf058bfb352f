// What fuzzing relies on: that programs get as far as they are meant to. Sessions of version 2 on
// both sides, with packets on each of their planes, and none for a peer without keys.

#include "player.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

namespace qdt::fuzz {
namespace {

using testing::ClientNode;
using testing::ServerNode;
using testing::ServerNodeOptions;

struct Step {
  StepKind kind;
  std::vector<std::uint8_t> arguments;
};

ByteVector program(std::initializer_list<Step> steps) {
  ByteWriter out;
  out.byte(0);
  for (const Step& step : steps) {
    Program::append_step(out, static_cast<std::uint8_t>(step.kind), step.arguments);
  }
  return out.bytes;
}

constexpr std::uint8_t how(Who who) {
  return static_cast<std::uint8_t>(2 * static_cast<unsigned>(who));
}
const Step kSecond{StepKind::kWait, {99, 7}};
const Step kPacket{StepKind::kDatagram, {0, 0, 0, 60}};
const Step kFragment{StepKind::kDatagram, {0, 1, 9, 0, 40, 1, 2, 3}};
const Step kPing{StepKind::kDatagram, {4, 2, 1}};
const Step kOtherContext{StepKind::kDatagram, {4, 5, 1}};
const Step kDirectPacket{StepKind::kDirect, {0, 0, 2, 0, 60}};
const Step kPacketInCapsule{StepKind::kCapsules, {0, 3, 0, 2, 0, 60}};
const Step kCapsuleOfRequests{StepKind::kCapsules, {0, 6, 9}};
const Step kCapsuleWithHostBits{StepKind::kCapsules, {0, 4, 1, 7, 7, 0, 4, 10, 8, 0, 9, 31}};

// --- a server ---

class ServerUnderPrograms : public ::testing::Test {
 protected:
  explicit ServerUnderPrograms(const Keys& keys = Keys::honest())
      : server_(options()),
        stage_(server_),
        player_({.role = Role::kClient, .keys = keys, .target = testing::kServerAddress}, stage_,
                server_) {
    player_.on_target = [](ByteReader&) {};
    player_.on_honest = [](ByteReader&) {};
  }
  static ServerNodeOptions options() {
    ServerNodeOptions options;
    options.token = Keys::honest().token;
    options.admission.devices = Keys::honest().devices();
    options.identity = Keys::honest().server;
    options.caps.direct = true;
    return options;
  }
  void play(std::initializer_list<Step> steps) {
    const ByteVector bytes = program(steps);
    player_.play(Program(bytes));
  }
  std::size_t sessions() { return server_.tunnel().sessions().size(); }
  std::uint64_t packets() const { return server_.counters.packets_up.value(); }

  ServerNode server_;
  Stage stage_;
  Player player_;
};

TEST_F(ServerUnderPrograms, HasSessionsOfVersion2WithWhoeverHasAKey) {
  for (const Who who : {Who::kToken, Who::kDevice, Who::kSealedDevice, Who::kBasic, Who::kBearer}) {
    play({{StepKind::kOpen, {0, static_cast<std::uint8_t>(who)}},
          {StepKind::kSession, {0, how(who)}}});
  }
  EXPECT_EQ(player_.version2_sessions(), 5u);
  EXPECT_EQ(sessions(), 5u);
}

TEST_F(ServerUnderPrograms, HasSessionsOfVersion1AsWell) {
  play({{StepKind::kSession, {0, how(Who::kVersion1)}}, kPacket, kDirectPacket, kSecond});
  EXPECT_EQ(player_.version2_sessions(), 0u);
  EXPECT_EQ(sessions(), 1u);
  EXPECT_EQ(packets(), 2u);
}

TEST_F(ServerUnderPrograms, TakesPacketsOfEachContext) {
  play({{StepKind::kSession, {0, how(Who::kDevice)}}, kPacket, kPacketInCapsule, kSecond});
  EXPECT_EQ(packets(), 2u);
  play({kFragment, kPing, kOtherContext, kSecond});
  EXPECT_EQ(server_.drops().value(Drop::kUnknownType), 1u);
  EXPECT_EQ(server_.drops().total(), 1u);
}

TEST_F(ServerUnderPrograms, TakesSealedAndDirectPackets) {
  play({{StepKind::kSession, {0, how(Who::kSealedDevice)}}, kPacket, kDirectPacket, kSecond});
  EXPECT_EQ(packets(), 2u);
  EXPECT_EQ(server_.drops().total(), 0u);
}

TEST_F(ServerUnderPrograms, EndsTheSessionOfACapsuleThatBreaksTheRules) {
  play({{StepKind::kSession, {0, how(Who::kDevice)}}, kCapsuleOfRequests, kSecond});
  EXPECT_EQ(sessions(), 1u);
  play({kCapsuleWithHostBits, kSecond});
  EXPECT_EQ(sessions(), 0u);
}

TEST_F(ServerUnderPrograms, TakesNoProofThatIsWrong) {
  for (std::uint8_t flaw = 1; flaw < static_cast<std::uint8_t>(Flaw::kCount); ++flaw) {
    const auto choice = static_cast<std::uint8_t>(flaw * 8 + static_cast<unsigned>(Who::kDevice));
    play({{StepKind::kOpen, {0, flaw}},
          {StepKind::kHello, {}},
          {StepKind::kAsk, {0, choice}},
          kSecond});
  }
  EXPECT_EQ(sessions(), 0u);
  play({{StepKind::kOpen, {0, 9}},
        {StepKind::kHello, {}},
        {StepKind::kAsk, {0, static_cast<std::uint8_t>(Who::kDevice)}},
        kSecond});
  EXPECT_EQ(sessions(), 1u);
}

class ServerUnderStrangers : public ServerUnderPrograms {
 protected:
  ServerUnderStrangers() : ServerUnderPrograms(Keys::strangers()) {}
};

TEST_F(ServerUnderStrangers, HasNoSession) {
  for (std::uint8_t who = 0; who < static_cast<std::uint8_t>(Who::kCount); ++who) {
    play({{StepKind::kOpen, {0, who}},
          {StepKind::kSession, {0, static_cast<std::uint8_t>(2 * who)}},
          kSecond});
  }
  EXPECT_EQ(player_.opened(), 7u);
  EXPECT_EQ(sessions(), 0u);
}

// --- a client ---

class ClientUnderPrograms : public ::testing::Test {
 protected:
  explicit ClientUnderPrograms(Who who = Who::kDevice, const Keys& keys = Keys::honest())
      : client_(options(who)),
        stage_(client_),
        player_({.role = Role::kServer, .keys = keys, .who = who, .target = {}}, stage_, client_) {
    client_.connect(testing::kClientAddress, testing::kServerAddress, stage_.now());
    stage_.advance(100ms);
  }
  static client::Connector::Options options(Who who) {
    client::Connector::Options options{.auth = Auth::kProof};
    options.identity = Keys::honest().identity_of(who);
    options.caps.direct = true;
    return options;
  }
  void play(std::initializer_list<Step> steps) {
    const ByteVector bytes = program(steps);
    player_.play(Program(bytes));
  }
  std::uint64_t packets() const { return client_.counters.packets_down.value(); }

  ClientNode client_;
  Stage stage_;
  Player player_;
};

TEST_F(ClientUnderPrograms, HasASessionOfVersion2AndTakesPacketsOfEachContext) {
  play({{StepKind::kSession, {}}, kPacket, kPacketInCapsule, kDirectPacket, kSecond});
  EXPECT_TRUE(client_.response);
  EXPECT_EQ(player_.version2_sessions(), 1u);
  EXPECT_EQ(packets(), 3u);
}

TEST_F(ClientUnderPrograms, EndsAtACapsuleThatBreaksTheRules) {
  play({{StepKind::kSession, {}}, kCapsuleOfRequests, kSecond});
  EXPECT_FALSE(client_.ending);
  play({kCapsuleWithHostBits, kSecond});
  EXPECT_TRUE(client_.ending);
}

TEST_F(ClientUnderPrograms, BelievesNoProofThatIsWrong) {
  for (const Flaw flaw : {Flaw::kSignature, Flaw::kKey, Flaw::kContent, Flaw::kMissing}) {
    const auto choice = static_cast<std::uint8_t>(8 * static_cast<unsigned>(flaw));
    play({{StepKind::kHello, {}}, kSecond, {StepKind::kAsk, {0, choice}}, kSecond});
    ASSERT_TRUE(client_.ending);
    client_.ending.reset();
    client_.connect(testing::kClientAddress, testing::kServerAddress, stage_.now());
    stage_.advance(100ms);
  }
  play({{StepKind::kHello, {}}, kSecond, {StepKind::kAsk, {0, 0}}, kSecond});
  EXPECT_TRUE(client_.response);
}

class SealedClientUnderPrograms : public ClientUnderPrograms {
 protected:
  SealedClientUnderPrograms() : ClientUnderPrograms(Who::kSealedDevice) {}
};

TEST_F(SealedClientUnderPrograms, TakesSealedPackets) {
  play({{StepKind::kSession, {}}, kPacket, kSecond});
  EXPECT_EQ(packets(), 1u);
}

class ClientUnderStrangers : public ClientUnderPrograms {
 protected:
  ClientUnderStrangers() : ClientUnderPrograms(Who::kDevice, Keys::strangers()) {}
};

TEST_F(ClientUnderStrangers, HasNoSession) {
  play({{StepKind::kSession, {}}, kSecond});
  EXPECT_FALSE(client_.response);
  EXPECT_TRUE(client_.ending);
}

}  // namespace
}  // namespace qdt::fuzz
