#include "server/lease_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/seeded_random.h"

namespace qdt::server {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr Timestamp kStart{Duration(1000h)};
constexpr Duration kGrace = 10min;

class LeaseBookTest : public ::testing::Test {
 protected:
  LeaseBookTest() : LeaseBookTest("10.8.0.0/29", 1) {}
  LeaseBookTest(const char* prefix, std::size_t shards)
      : pool(*Prefix::parse(prefix), *IpAddress::parse("10.8.0.1"), shards), book(pool, kGrace) {}

  // A session of a client that shows `token`.
  LeaseBook::Grant open(wire::SessionId session, std::string_view token = "", std::size_t shard = 0,
                        Timestamp now = kStart) {
    return book.acquire({shard, session}, token, random, now).value_or(LeaseBook::Grant{});
  }

  testing::SeededRandom random{3};
  LeasePool pool;
  LeaseBook book;
};

TEST_F(LeaseBookTest, GivesTheHolderOfATokenItsLeaseAgain) {
  const auto first = open(1);
  EXPECT_EQ(first.address.to_string(), "10.8.0.2");
  EXPECT_THAT(first.token, SizeIs(22));
  book.release(first.address, 1, kStart);
  EXPECT_EQ(open(2).address.to_string(), "10.8.0.3");
  const auto again = open(3, first.token);
  EXPECT_EQ(again.address, first.address);
  EXPECT_EQ(again.token, first.token);
  EXPECT_FALSE(again.replaced);
}

TEST_F(LeaseBookTest, TakesALeaseFromTheSessionThatHasIt) {
  const auto first = open(1);
  EXPECT_TRUE(book.is_in_use(first.token));
  const auto second = open(2, first.token);
  EXPECT_EQ(second.address, first.address);
  ASSERT_TRUE(second.replaced);
  EXPECT_EQ(second.replaced->session, 1u);
  book.release(first.address, 1, kStart);  // the end of the replaced one
  EXPECT_EQ(pool.owner(first.address), 0u);
  EXPECT_EQ(pool.lent(), 1u);
  EXPECT_TRUE(book.is_in_use(first.token));
}

// A client that comes and goes loses leases kept for itself, not those kept for others.
TEST_F(LeaseBookTest, KeepsSoManyForTheClientsOfAnAddress) {
  LeaseBook bounded(pool, kGrace, 2);
  const auto visit = [&](wire::SessionId session, const IpAddress& from, Timestamp now) {
    const auto grant = bounded.acquire({0, session}, "", random, now, from);
    bounded.release(grant->address, session, now);
    return *grant;
  };
  const LeaseBook::Grant other = visit(1, IpAddress::v4(7), kStart);
  std::vector<LeaseBook::Grant> grants;
  for (int i = 2; i < 20; ++i) {
    grants.push_back(visit(static_cast<wire::SessionId>(i), IpAddress::v4(8), kStart + i * 1s));
  }
  EXPECT_EQ(bounded.entries(kStart + 20s).size(), 3u);
  EXPECT_EQ(bounded.acquire({0, 30}, other.token, random, kStart + 20s)->address, other.address);
  EXPECT_EQ(bounded.acquire({0, 31}, grants.back().token, random, kStart + 20s)->address,
            grants.back().address);
  EXPECT_NE(bounded.acquire({0, 32}, grants.front().token, random, kStart + 20s)->token,
            grants.front().token);
}

TEST_F(LeaseBookTest, KeepsHalfAsManyAgainForAnIpv6Site) {
  LeasePool wide(*Prefix::parse("10.8.0.0/24"), *IpAddress::parse("10.8.0.1"), 1);
  LeaseBook bounded(wide, kGrace, 2);
  const auto visit = [&](wire::SessionId session, const char* from, Timestamp now) {
    const auto grant = bounded.acquire({0, session}, "", random, now, *IpAddress::parse(from));
    bounded.release(grant->address, session, now);
  };
  const std::array kOfOneSite = {"2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:1::3",
                                 "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"};
  Timestamp now = kStart;
  wire::SessionId session = 0;
  std::vector<std::size_t> kept;
  for (const char* from : kOfOneSite) {
    visit(++session, from, now += 1s);
    kept.push_back(bounded.kept());
  }
  EXPECT_THAT(kept, ElementsAre(1, 2, 2, 3, 3, 3));
  visit(++session, "2001:db8:2:1::1", now += 1s);
  EXPECT_THAT(bounded.entries(now), SizeIs(4)) << "another site loses nothing";
}

TEST_F(LeaseBookTest, GivesAFixedLeaseToItsDeviceAlone) {
  const auto address = *IpAddress::parse("10.8.0.2");
  EXPECT_THAT(book.fix(std::array{address, *IpAddress::parse("10.9.0.2")}), ElementsAre(address));
  EXPECT_EQ(open(1).address.to_string(), "10.8.0.3");
  const auto fixed = book.acquire_fixed({0, 2}, address, true, random);
  ASSERT_TRUE(fixed);
  EXPECT_FALSE(fixed->replaced);
  EXPECT_TRUE(book.is_in_use(address));
  EXPECT_NE(open(3, fixed->token).address, address) << "somebody who has seen its token";
  const auto newer = book.acquire_fixed({0, 4}, address, false, random);
  ASSERT_TRUE(newer && newer->replaced);
  EXPECT_EQ(newer->replaced->session, 2u);
  EXPECT_EQ(newer->token, "");
  book.release(address, 2, kStart);
  EXPECT_TRUE(book.is_in_use(address));
  book.release(address, 4, kStart);
  EXPECT_FALSE(book.is_in_use(address));
  EXPECT_EQ(book.kept(), 0u);
  EXPECT_EQ(open(5).address.to_string(), "10.8.0.5");
}

TEST_F(LeaseBookTest, GivesNobodyALeaseAgainThatIsFixedMeanwhile) {
  const auto here = open(1);
  const auto gone = open(2);
  book.release(gone.address, 2, kStart);
  book.fix(std::array{here.address, gone.address});
  EXPECT_EQ(book.kept(), 0u);
  EXPECT_NE(open(3, gone.token).address, gone.address);
  EXPECT_TRUE(book.acquire_fixed({0, 4}, gone.address, true, random));
  EXPECT_FALSE(book.acquire_fixed({0, 5}, here.address, true, random)) << "until that one ends";
  EXPECT_NE(open(6, here.token).address, here.address);
  book.release(here.address, 1, kStart);
  EXPECT_EQ(book.kept(), 0u);
  EXPECT_TRUE(book.acquire_fixed({0, 5}, here.address, true, random));
}

TEST_F(LeaseBookTest, KnowsNoOtherTokens) {
  const auto first = open(1);
  book.release(first.address, 1, kStart);
  for (const std::string& token : {std::string("x"), first.token + "A", first.token.substr(1)}) {
    const auto other = open(2, token);
    EXPECT_NE(other.address, first.address) << token;
    EXPECT_NE(other.token, token);
    book.release(other.address, 2, kStart);
  }
}

TEST_F(LeaseBookTest, LendsKeptLeasesToNobodyElse) {
  const auto first = open(1);
  book.release(first.address, 1, kStart);
  EXPECT_EQ(pool.owner(first.address), std::nullopt);
  EXPECT_EQ(pool.lent(), 0u);
  for (wire::SessionId session = 2; session <= 5; ++session) {
    EXPECT_NE(open(session).address, first.address);
  }
}

TEST_F(LeaseBookTest, LendsTheLongestKeptWhenNoOtherIsLeft) {
  std::vector<LeaseBook::Grant> grants;
  for (wire::SessionId session = 1; session <= 5; ++session) grants.push_back(open(session));
  EXPECT_FALSE(book.acquire({0, 6}, "", random, kStart));
  book.release(grants[3].address, 4, kStart + 1s);
  book.release(grants[1].address, 2, kStart + 2s);
  EXPECT_EQ(open(6, "", 0, kStart + 3s).address, grants[3].address);
  EXPECT_EQ(open(7, grants[3].token, 0, kStart + 3s).address, grants[1].address)
      << "it is too late";
  EXPECT_FALSE(book.acquire({0, 8}, grants[3].token, random, kStart + 3s));
}

TEST_F(LeaseBookTest, KeepsNothingBeyondItsGrace) {
  const auto first = open(1);
  book.release(first.address, 1, kStart);
  EXPECT_EQ(open(2, first.token, 0, kStart + kGrace - 1ns).address, first.address);
  book.release(first.address, 2, kStart + kGrace);
  EXPECT_THAT(book.entries(kStart + 2 * kGrace - 1ns), SizeIs(1));
  EXPECT_THAT(book.entries(kStart + 2 * kGrace), SizeIs(0));
  EXPECT_NE(open(3, first.token, 0, kStart + 2 * kGrace).token, first.token);
}

TEST_F(LeaseBookTest, KeepsNothingForWhoCannotResume) {
  const auto plain = book.acquire({0, 1}, std::nullopt, random, kStart);
  EXPECT_EQ(plain->token, "");
  book.release(plain->address, 1, kStart);
  EXPECT_THAT(book.entries(kStart), SizeIs(0));
  EXPECT_EQ(pool.lent(), 0u);
}

TEST_F(LeaseBookTest, KeepsNothingWithoutGrace) {
  LeaseBook off(pool, 0s);
  const auto grant = off.acquire({0, 1}, "", random, kStart);
  EXPECT_EQ(grant->token, "");
  off.release(grant->address, 1, kStart);
  EXPECT_THAT(off.entries(kStart), SizeIs(0));
}

TEST_F(LeaseBookTest, IsTheSameAfterARestart) {
  const auto in_use = open(1);
  const auto kept = open(2);
  book.release(kept.address, 2, kStart + 1s);
  LeasePool next_pool(*Prefix::parse("10.8.0.0/29"), *IpAddress::parse("10.8.0.1"), 1);
  LeaseBook next(next_pool, kGrace);
  EXPECT_EQ(next.restore(book.entries(kStart + 2s), kStart + 2s), 0u);
  for (const auto& grant : {in_use, kept}) {
    EXPECT_EQ(next.acquire({0, 9}, grant.token, random, kStart + 3s)->address, grant.address);
  }
}

TEST_F(LeaseBookTest, LeavesOutWhatDoesNotFitThePool) {
  const auto entry = [](const char* address, std::uint8_t token) {
    return LeaseBook::Entry{*IpAddress::parse(address), {token}, kStart};
  };
  EXPECT_EQ(book.restore({entry("10.8.0.3", 1), entry("10.8.0.3", 2), entry("10.8.0.4", 1),
                          entry("10.8.0.0", 3), entry("10.8.0.1", 4), entry("10.8.0.7", 5),
                          entry("10.8.0.8", 6), entry("9.9.9.9", 7), entry("fd00::3", 8)},
                         kStart),
            8u);
  EXPECT_THAT(book.entries(kStart), ElementsAre(entry("10.8.0.3", 1)));
}

TEST_F(LeaseBookTest, TellsOfItsChanges) {
  const auto before = book.version();
  const auto grant = open(1);
  EXPECT_NE(book.version(), before);
  const auto opened = book.version();
  book.release(grant.address, 1, kStart);
  EXPECT_NE(book.version(), opened);
}

class LeaseBookOfFourShards : public LeaseBookTest {
 protected:
  LeaseBookOfFourShards() : LeaseBookTest("10.8.0.0/24", 4) {}
};

TEST_F(LeaseBookOfFourShards, MovesALeaseToAnotherShard) {
  const auto first = open(1, "", 2);
  EXPECT_EQ(pool.owner(first.address), 2u);
  const auto second = open(2, first.token, 3);
  EXPECT_EQ(second.address, first.address);
  EXPECT_EQ(second.replaced->shard, 2u);
  EXPECT_EQ(pool.owner(first.address), 3u);
  book.release(first.address, 2, kStart);
  EXPECT_EQ(open(3, first.token, 0).address, first.address);
  EXPECT_EQ(pool.owner(first.address), 0u);
  EXPECT_EQ(pool.lent(), 1u);
}

TEST_F(LeaseBookTest, KeepsSoManyForAnAddressAsItIsToldLater) {
  const IpAddress from = IpAddress::v4(0x01020304);
  std::vector<IpAddress> leases;
  for (wire::SessionId session = 1; session <= 3; ++session) {
    leases.push_back(book.acquire({.session = session}, "", random, kStart, from).value().address);
  }
  book.use_max_kept(1);
  for (wire::SessionId session = 1; session <= 3; ++session) {
    book.release(leases[session - 1], session, kStart);
  }
  EXPECT_THAT(book.entries(kStart), SizeIs(1));
}

}  // namespace
}  // namespace qdt::server
