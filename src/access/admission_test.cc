#include "access/admission.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

namespace qdt::access {
namespace {

using wire::HandshakeResult;

constexpr Timestamp kStart{Duration(1h)};
const IpAddress kClient = IpAddress::v4(0x01020304);
const IpAddress kOther = IpAddress::v4(0x01020305);

class AdmissionTest : public testing::Test {
 protected:
  Admission::Verdict ask(Admission& admission, std::string_view method, std::string_view token,
                         const IpAddress& from = kClient, Timestamp now = kStart) {
    return admission.judge(*admission.users(), method == "POST", Credential(token), from, now);
  }
  HandshakeResult judge(Admission& admission, std::string_view token = "token",
                        const IpAddress& from = kClient, Timestamp now = kStart) {
    admission.set_ready(true);
    return admission.judge("POST", token, from, now);
  }
  // The time that the answer to a wrong token waits.
  std::optional<Duration> guess(Admission& admission, const IpAddress& from = kClient,
                                Timestamp now = kStart) {
    admission.set_ready(true);
    const auto verdict = ask(admission, "POST", "guess", from, now);
    EXPECT_EQ(verdict.result, HandshakeResult::kUnauthorized);
    EXPECT_FALSE(verdict.is_proven());
    return verdict.delay;
  }
};

TEST_F(AdmissionTest, ChecksInTheProtocolsOrder) {
  Admission admission({.token = "token"});
  EXPECT_EQ(ask(admission, "GET", "wrong").result, HandshakeResult::kNotReady);
  admission.set_ready(true);
  EXPECT_EQ(ask(admission, "GET", "wrong").result, HandshakeResult::kMethod);
  EXPECT_EQ(ask(admission, "POST", "wrong").result, HandshakeResult::kUnauthorized);
  EXPECT_EQ(ask(admission, "POST", "").result, HandshakeResult::kUnauthorized);
  EXPECT_EQ(ask(admission, "POST", "token").result, HandshakeResult::kOk);
}

TEST_F(AdmissionTest, LimitsAnAddressAndNotTheOthers) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission), HandshakeResult::kRateLimited);
  EXPECT_EQ(judge(admission, "token", kOther), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", kClient, kStart + 1s), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, LetsTheAnswersToGuessesWaitTheirTurn) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  const Duration delays[] = {0s, 0s, 1s, 2s, 3s, 4s, 4s};
  for (const Duration delay : delays) EXPECT_EQ(guess(admission), delay);
  EXPECT_EQ(ask(admission, "GET", "").delay, 4s);  // whatever it asks for
  EXPECT_EQ(guess(admission, kOther), 0s);
  EXPECT_EQ(guess(admission, kClient, kStart + 10min), 0s);
}

TEST_F(AdmissionTest, BoundsTheAnswersThatWait) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  for (std::size_t i = 0; i < 2 + Admission::kMaxWaitingOfAddress; ++i) {
    EXPECT_TRUE(guess(admission));
  }
  EXPECT_FALSE(guess(admission));
  EXPECT_TRUE(guess(admission, kClient, kStart + 1s));
  EXPECT_FALSE(guess(admission, kClient, kStart + 1s));
}

TEST_F(AdmissionTest, NeverDelaysOrRefusesTheTokenForGuesses) {
  Admission admission({.token = "token",
                       .rate = {.per_second = 1, .burst = 2},
                       .address_rate = {.per_second = 1, .burst = 2}});
  for (int i = 0; i < 1000; ++i) guess(admission);
  for (int i = 0; i < 2; ++i) {
    const auto verdict = ask(admission, "POST", "token");
    EXPECT_EQ(verdict.result, HandshakeResult::kOk);
    EXPECT_TRUE(verdict.is_proven());
    EXPECT_EQ(verdict.delay, 0s);
  }
  EXPECT_EQ(judge(admission), HandshakeResult::kRateLimited);
}

TEST_F(AdmissionTest, TellsOneWhoHasTheTokenWhateverItAsks) {
  Admission admission({.token = "token"});
  EXPECT_TRUE(ask(admission, "GET", "token").is_proven());
  EXPECT_FALSE(ask(admission, "GET", "toke").is_proven());
  EXPECT_FALSE(ask(admission, "GET", std::string(5000, 't')).is_proven());
}

TEST_F(AdmissionTest, TellsTheUsersOfATableApart) {
  Admission admission({});
  admission.set_ready(true);
  const auto users = *UserTable::create(
      {{{.name = "a", .token = "token a"}, {.name = "b", .token = "token b"}}}, UserTable::Key{});
  const auto ask = [&](std::string_view token) {
    return admission.judge(*users, true, Credential(token), kClient, kStart);
  };
  EXPECT_EQ(ask("token a").who->name, "a");
  EXPECT_EQ(ask("token b").who->name, "b");
  EXPECT_EQ(ask("token b").result, HandshakeResult::kOk);
  EXPECT_EQ(ask("token c").result, HandshakeResult::kUnauthorized);
}

TEST_F(AdmissionTest, WithoutATokenNobodyMayComeIn) {
  Admission admission({.token = ""});
  EXPECT_EQ(judge(admission, ""), HandshakeResult::kUnauthorized);
}

TEST_F(AdmissionTest, LimitsTheGuessesOfASiteAndOfAll) {
  Admission admission({.token = "token",
                       .rate = {.per_second = 1, .burst = 12},
                       .address_rate = {.per_second = 1, .burst = 2}});
  std::array<std::uint8_t, 16> address{0x20, 0x01, 0x0d, 0xb8};
  for (int i = 0; i < 8; ++i) {  // two of each of four /64
    address[7] = static_cast<std::uint8_t>(i / 2);
    EXPECT_EQ(guess(admission, IpAddress::v6(address)), 0s);
  }
  address[7] = 9;
  EXPECT_EQ(guess(admission, IpAddress::v6(address)), 250ms);  // a site has four times the rate
  address[5] = 1;
  EXPECT_EQ(guess(admission, IpAddress::v6(address)), 0s);
  EXPECT_EQ(guess(admission, kClient), 0s);
  EXPECT_EQ(guess(admission, kOther), 0s);
  EXPECT_EQ(guess(admission, IpAddress::v4(7)), 1s);  // all together have guessed twelve times
}

// A guesser gets no new burst by coming from 65,536 other addresses meanwhile.
TEST_F(AdmissionTest, RemembersAGuesserInAFloodOfAddresses) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  for (int i = 0; i < 5; ++i) guess(admission);
  for (std::uint32_t i = 0; i < 4 * 65536; ++i) guess(admission, IpAddress::v4(0x0b000000 + i));
  EXPECT_GE(guess(admission), 3s);
}

TEST_F(AdmissionTest, CountsWrongTokensNotAgainstEverybody) {
  Admission admission({.token = "token", .rate = {.per_second = 1, .burst = 1}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(judge(admission, "guess"), HandshakeResult::kUnauthorized);
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", kOther), HandshakeResult::kRateLimited);
}

TEST_F(AdmissionTest, LimitsAnIpv6NetworkAsOne) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 1}});
  EXPECT_EQ(judge(admission, "token", *IpAddress::parse("2001:db8::1")), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", *IpAddress::parse("2001:db8::ffff")),
            HandshakeResult::kRateLimited);
  EXPECT_EQ(judge(admission, "token", *IpAddress::parse("2001:db8:0:1::1")), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, ForgetsAnAddressAfterItsTtl) {
  Admission admission(
      {.token = "token", .address_rate = {.per_second = 0.0001, .burst = 1}, .address_ttl = 60s});
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", kClient, kStart + 59s), HandshakeResult::kRateLimited);
  EXPECT_EQ(judge(admission, "token", kClient, kStart + 200s), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, BoundsTheNumberOfSessions) {
  Admission admission({.token = "token", .max_sessions = 1});
  EXPECT_TRUE(admission.reserve_session());
  EXPECT_EQ(judge(admission), HandshakeResult::kBusy);
  EXPECT_FALSE(admission.reserve_session());
  admission.release_session();
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, TakesOtherLimitsWhileItRuns) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 1}});
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission), HandshakeResult::kRateLimited);
  admission.use_limits({.max_sessions = 1});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_TRUE(admission.reserve_session());
  EXPECT_EQ(judge(admission), HandshakeResult::kBusy);
  admission.use_limits({.rate = {.per_second = 0.1, .burst = 1}, .max_sessions = 2});
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", kOther), HandshakeResult::kRateLimited);
  EXPECT_EQ(admission.retry_after(), 10s);
}

TEST_F(AdmissionTest, EndsNobodyBySmallerLimits) {
  Admission admission({.token = "token", .max_sessions = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admission.reserve_session());
  admission.use_limits({.max_sessions = 2});
  EXPECT_EQ(admission.sessions(), 3u);
  admission.release_session();
  EXPECT_FALSE(admission.reserve_session());
  admission.release_session();
  EXPECT_TRUE(admission.reserve_session());
}

}  // namespace
}  // namespace qdt::access
