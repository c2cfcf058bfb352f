#include "access/client_shares.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace qdt::access {
namespace {

const IpAddress kOffice = IpAddress::v4(0x01020304);
const IpAddress kOther = IpAddress::v4(0x01020305);

class ClientSharesTest : public testing::Test {
 protected:
  bool take(const IpAddress& from, const std::string& client_id = "", bool replaces = false) {
    return shares_.take(++last_, from, client_id, replaces);
  }
  int take_all(const IpAddress& from, const std::string& client_id = "") {
    int taken = 0;
    while (taken < 1000 && take(from, client_id)) ++taken;
    return taken;
  }

  ClientShares shares_{{.max_of_client = 16, .max_of_address = 40}};
  wire::SessionId last_ = 0;
};

TEST_F(ClientSharesTest, BoundsAnAddressAndNotTheOthers) {
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(take(kOffice, std::to_string(i)));
  EXPECT_FALSE(take(kOffice, "one more"));
  EXPECT_TRUE(take(kOther));
  shares_.give_back(1);
  EXPECT_TRUE(take(kOffice, "one more"));
  EXPECT_FALSE(take(kOffice, "and another"));
}

TEST_F(ClientSharesTest, BoundsAClientWithinItsAddress) {
  EXPECT_EQ(take_all(kOffice, "phone"), 16);
  EXPECT_EQ(take_all(kOffice, "laptop"), 16);
  EXPECT_EQ(take_all(kOffice), 8);
  EXPECT_EQ(take_all(kOther, "phone"), 16);
}

TEST_F(ClientSharesTest, BoundsAnIpv6NetworkAndItsSite) {
  std::array<std::uint8_t, 16> address{0x20, 0x01, 0x0d, 0xb8};
  const auto take_from = [&](std::uint8_t net) {
    address[7] = net;
    int taken = 0;
    for (; taken < 100; ++taken) {
      address[15] = static_cast<std::uint8_t>(taken);
      if (!take(IpAddress::v6(address), std::to_string(taken))) break;
    }
    return taken;
  };
  EXPECT_EQ(take_from(1), 40);
  EXPECT_EQ(take_from(2), 20);
  EXPECT_EQ(take_from(3), 0);
  address[5] = 1;
  EXPECT_EQ(take_from(3), 40);
}

TEST_F(ClientSharesTest, NeverRefusesOneThatReplacesItsSession) {
  EXPECT_EQ(take_all(kOffice, "phone"), 16);
  EXPECT_TRUE(take(kOffice, "phone", /*replaces=*/true));
  shares_.give_back(1);  // the replaced one
  EXPECT_FALSE(take(kOffice, "phone"));
}

TEST_F(ClientSharesTest, BoundsNobodyWithoutABound) {
  ClientShares any({});
  for (wire::SessionId session = 0; session < 1000; ++session) {
    EXPECT_TRUE(any.take(session, kOffice, "phone", false));
  }
  any.give_back(7);
  any.give_back(7000);
}

TEST_F(ClientSharesTest, CountsWhoCameWhileThereWasNoLimit) {
  shares_.use({});
  EXPECT_EQ(take_all(kOffice, "phone"), 1000);
  shares_.use({.max_of_client = 16, .max_of_address = 1000});
  EXPECT_FALSE(take(kOffice, "phone"));
  for (wire::SessionId session = 1; session <= 985; ++session) shares_.give_back(session);
  EXPECT_TRUE(take(kOffice, "phone"));
  EXPECT_FALSE(take(kOffice, "phone"));
}

}  // namespace
}  // namespace qdt::access
