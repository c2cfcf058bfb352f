#include "server/admission.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

using wire::HandshakeResult;

constexpr Timestamp kStart{Duration(1h)};
const IpAddress kClient = IpAddress::v4(0x01020304);
const IpAddress kOther = IpAddress::v4(0x01020305);

class AdmissionTest : public testing::Test {
 protected:
  HandshakeResult judge(Admission& admission, std::string_view token = "token",
                        const IpAddress& from = kClient, Timestamp now = kStart) {
    admission.set_ready(true);
    return admission.judge("POST", token, from, now);
  }
};

TEST_F(AdmissionTest, ChecksInTheProtocolsOrder) {
  Admission admission({.token = "token"});
  EXPECT_EQ(admission.judge("GET", "wrong", kClient, kStart), HandshakeResult::kNotReady);
  admission.set_ready(true);
  EXPECT_EQ(admission.judge("GET", "wrong", kClient, kStart), HandshakeResult::kMethod);
  EXPECT_EQ(admission.judge("POST", "wrong", kClient, kStart), HandshakeResult::kUnauthorized);
  EXPECT_EQ(admission.judge("POST", "", kClient, kStart), HandshakeResult::kUnauthorized);
  EXPECT_EQ(admission.judge("POST", "token", kClient, kStart), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, LimitsAnAddressAndNotTheOthers) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission), HandshakeResult::kRateLimited);
  EXPECT_EQ(judge(admission, "token", kOther), HandshakeResult::kOk);
  EXPECT_EQ(judge(admission, "token", kClient, kStart + 1s), HandshakeResult::kOk);
}

TEST_F(AdmissionTest, CountsWrongTokensAgainstTheirAddress) {
  Admission admission({.token = "token", .address_rate = {.per_second = 1, .burst = 2}});
  EXPECT_EQ(judge(admission, "guess"), HandshakeResult::kUnauthorized);
  EXPECT_EQ(judge(admission, "guess"), HandshakeResult::kUnauthorized);
  EXPECT_EQ(judge(admission, "guess"), HandshakeResult::kRateLimited);
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

}  // namespace
}  // namespace qdt::server
