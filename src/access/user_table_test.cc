#include "access/user_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

#include "wire/seal.h"

namespace qdt::access {
namespace {

using Entries = std::vector<UserTable::Entry>;

UserTable::Snapshot table(const Entries& entries, const UserTable* before = nullptr) {
  return *UserTable::create(entries, {1, 2, 3}, before);
}

std::string name_of(const UserTable& users, const Credential& credential) {
  const auto found = users.find(credential);
  return found ? found->name : "nobody";
}

std::string name_of(const UserTable& users, std::string_view token) {
  return name_of(users, Credential(token));
}

TEST(UserTable, FindsAUserByToken) {
  const auto users = table({{.name = "ann", .token = "one"}, {.name = "bob", .token = "two"}});
  EXPECT_EQ(name_of(*users, "one"), "ann");
  EXPECT_EQ(name_of(*users, "two"), "bob");
}

TEST(UserTable, KnowsNobodyByAnotherToken) {
  const auto users = table({{.name = "ann", .token = "secret"}});
  for (const std::string_view token : {"", "s", "secre", "secret ", "Secret", "secrets"}) {
    EXPECT_EQ(name_of(*users, token), "nobody") << token;
  }
  EXPECT_EQ(name_of(*users, std::string("secret\0", 7)), "nobody");
  EXPECT_EQ(name_of(*users, std::string(5000, 's')), "nobody");
}

TEST(UserTable, IsOfNobodyWhenItIsEmpty) {
  EXPECT_EQ(name_of(*table({}), ""), "nobody");
  EXPECT_EQ(name_of(*table({}), "token"), "nobody");
}

TEST(UserTable, HasAMeterForEachDeviceWhichTheNextTableKeeps) {
  const UserTable::Entry ann{.name = "ann",
                             .token = {},
                             .devices = {{.token = "one", .id = 11}, {.token = "two", .id = 12}},
                             .limits = {},
                             .id = 1};
  const auto users = table({ann});
  const auto one = users->find(Credential("one"));
  const auto meter = one->meter_of(one.device);
  EXPECT_EQ(meter->user(), 1u);
  EXPECT_EQ(meter->device(), 11u);
  const auto two = users->find(Credential("two"));
  EXPECT_NE(two->meter_of(two.device), meter);
  const auto next = table({ann}, users.get())->find(Credential("one"));
  EXPECT_EQ(next->meter_of(next.device), meter);
}

TEST(UserTable, HasAnotherMeterForAnotherUserOfTheSameName) {
  UserTable::Entry ann{
      .name = "ann", .token = {}, .devices = {{.token = "one", .id = 11}}, .limits = {}, .id = 1};
  const auto users = table({ann});
  ann.id = 2;
  EXPECT_EQ(table({ann}, users.get())->users()[0]->meters[0]->user(), 2u);
}

TEST(UserTable, HasOneMeterForTheConfigurationsUserAndNoneForTickets) {
  const auto users = table({{.name = "", .token = "token", .devices = {{.token = "device"}}},
                            {.name = "ann", .devices = {{.token = "ticket", .is_ticket = true}}}});
  const auto by_token = users->find(Credential("token"));
  const auto by_device = users->find(Credential("device"));
  EXPECT_EQ(by_token->meter_of(by_token.device), by_device->meter_of(by_device.device));
  const auto ticket = users->find(Credential("ticket"));
  EXPECT_EQ(ticket->meter_of(ticket.device), nullptr);
}

TEST(Meter, GivesEachByteOnce) {
  Meter meter(1, 2);
  meter.add(3, 4);
  meter.add(5, 6);
  meter.see();
  const auto reading = meter.take();
  EXPECT_EQ(reading.up_bytes, 8u);
  EXPECT_EQ(reading.down_bytes, 10u);
  EXPECT_TRUE(reading.is_seen);
  EXPECT_EQ(meter.take().up_bytes, 0u);
  EXPECT_FALSE(meter.take().is_seen);
}

TEST(UserTable, FindsEachOfTenThousandAndNobodyElse) {
  Entries entries;
  for (int i = 0; i < 10000; ++i) {
    entries.push_back({.name = std::to_string(i), .token = "token " + std::to_string(i)});
  }
  const auto users = table(entries);
  for (const auto& entry : entries) ASSERT_EQ(name_of(*users, entry.token), entry.name);
  for (int i = 10000; i < 20000; ++i) {
    ASSERT_EQ(name_of(*users, "token " + std::to_string(i)), "nobody");
  }
}

TEST(UserTable, RefusesUsersThatCannotBeToldApart) {
  const auto error = [](const Entries& entries) {
    const auto users = UserTable::create(entries, {});
    return users ? "" : users.error().message;
  };
  EXPECT_EQ(error({{.name = "", .token = "one"}}), "");
  EXPECT_EQ(error({{.name = "ann", .token = ""}}),
            "the user \"ann\" has neither a token nor a device");
  EXPECT_EQ(error({{.name = "ann", .token = "one"}, {.name = "ann", .token = "two"}}),
            "two users are named ann");
  EXPECT_EQ(error({{.name = "ann", .token = "one"}, {.name = "bob", .token = "one"}}),
            "the user bob has the token of another");
  EXPECT_EQ(error({{.name = "", .token = "one"}, {.name = "bob", .token = "two"}}), "");
  EXPECT_EQ(error({{.name = "", .token = "one"}, {.name = "", .token = "two"}}),
            "two users have no name");
}

TEST(UserTable, KeepsAnAccountAndNotItsLimits) {
  const auto before =
      table({{.name = "ann", .token = "one", .devices = {}, .limits = {.max_sessions = 1}}});
  const auto ann = before->find(Credential("one"));
  ann->account->reserve_session(1, false);
  const auto after =
      table({{.name = "ann", .token = "two", .devices = {}, .limits = {.max_sessions = 9}},
             {.name = "bob", .token = "one"}},
            before.get());
  EXPECT_EQ(after->find(Credential("two"))->account, ann->account);
  EXPECT_EQ(after->find(Credential("two"))->limits.max_sessions, 9u);
  EXPECT_NE(after->find(Credential("one"))->account, ann->account);
  EXPECT_EQ(ann->limits.max_sessions, 1u);
}

// --- devices ---

wire::Ed25519PublicKey key_of(std::uint8_t seed) {
  return wire::Ed25519Key(wire::Ed25519Seed{seed}).public_key();
}

TEST(UserTable, FindsADeviceByItsKey) {
  const auto users = table(
      {{.name = "ann",
        .devices = {{.name = "phone", .key = key_of(1)}, {.name = "laptop", .key = key_of(2)}}},
       {.name = "bob", .devices = {{.name = "tv", .key = key_of(3)}}}});
  const auto laptop = users->find(Credential::of_key(key_of(2)));
  ASSERT_TRUE(laptop);
  EXPECT_EQ(laptop->name, "ann");
  EXPECT_EQ(laptop.device->name, "laptop");
  EXPECT_EQ(name_of(*users, Credential::of_key(key_of(3))), "bob");
  EXPECT_EQ(name_of(*users, Credential::of_key(key_of(4))), "nobody");
  // The bytes of a key are no token.
  const auto key = key_of(1);
  EXPECT_EQ(name_of(*users, as_text(key)), "nobody");
}

TEST(UserTable, MakesADeviceOfAToken) {
  const auto users = table({{.name = "ann", .token = "one"}, {.name = "bob", .token = "two"}});
  const Device device = token_device("two");
  const auto found = users->find(Credential::of_key(*device.key));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "bob");
  EXPECT_EQ(*found.device, device);
  EXPECT_TRUE(found.device->psk && found.device->server_seed);
  EXPECT_EQ(users->find(Credential("two")).device, nullptr);
}

TEST(UserTable, FindsADeviceByATokenOfItsOwn) {
  const auto users = table(
      {{.name = "ann", .devices = {{.name = "a", .token = "1"}, {.name = "b", .token = "2"}}}});
  const auto found = users->find(Credential("2"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found.device->name, "b");
  EXPECT_EQ(found.device->token, "");
  const auto proven = users->find(Credential::of_key(*token_device("2").key));
  EXPECT_EQ(proven.device, found.device);
  EXPECT_EQ(found.device->psk, token_device("2").psk);
}

TEST(UserTable, FindsADeviceByNameAndSecret) {
  const Device::Login login{.name = "tv", .secret_digest = wire::secret_digest("long secret")};
  const Device::Login bare{.name = "", .secret_digest = wire::secret_digest("another")};
  const auto users = table(
      {{.name = "ann", .devices = {{.name = "a", .login = login}, {.name = "b", .login = bare}}}});
  EXPECT_EQ(name_of(*users, Credential::of_secret("tv", "long secret")), "ann");
  EXPECT_EQ(name_of(*users, Credential::of_secret("", "another")), "ann");
  for (const auto& [name, secret] :
       {std::pair("tv", "long secre"), std::pair("", "long secret"), std::pair("tvl", "ong secret"),
        std::pair("tv", "another"), std::pair("tv", ""), std::pair("", "")}) {
    EXPECT_EQ(name_of(*users, Credential::of_secret(name, secret)), "nobody") << name << secret;
  }
  // Who has read the digest has no secret.
  EXPECT_EQ(name_of(*users, Credential::of_secret("tv", as_text(login.secret_digest))), "nobody");
}

TEST(UserTable, RefusesDevicesThatCannotBeToldApart) {
  const auto users = UserTable::create(
      std::vector<UserTable::Entry>{
          {.name = "ann",
           .devices = {{.name = "a", .key = key_of(1)}, {.name = "b", .key = key_of(1)}}}},
      {});
  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().message, "the user ann has the key of another");
}

// A user outlives the table: a session may be the last that has an account.
TEST(UserTable, LetsAUserOutliveIt) {
  auto users = table({{.name = "ann", .token = "one"}});
  const auto ann = users->find(Credential("one"));
  users = table({});
  EXPECT_EQ(ann->name, "ann");
  EXPECT_TRUE(ann->account->reserve_session(0, false));
}

TEST(UserTable, TellsWhatItsUsersHave) {
  const auto users = table({{.name = "ann", .token = "one"}, {.name = "bob", .token = "two"}});
  users->users()[1]->account->reserve_session(0, false);
  users->users()[1]->account->add({.down = {.packets = 2, .bytes = 9, .drops = 1}});
  const auto usage = users->usage();
  ASSERT_EQ(usage.size(), 2u);
  EXPECT_EQ(usage[0].name, "ann");
  EXPECT_EQ(usage[0].sessions, 0u);
  EXPECT_EQ(usage[0].traffic, Traffic());
  EXPECT_EQ(usage[1].sessions, 1u);
  EXPECT_EQ(usage[1].traffic.down, (Traffic::Way{.packets = 2, .bytes = 9, .drops = 1}));
}

TEST(UserTable, IsReadByManyThreadsAtATime) {
  const auto users = table({{.name = "ann", .token = "one"}, {.name = "bob", .token = "two"}});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([users] {
      for (int j = 0; j < 1000; ++j) {
        users->find(Credential("one"))->account->add({.up = {.packets = 1}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(users->find(Credential("one"))->account->traffic().up.packets, 4000u);
}

}  // namespace
}  // namespace qdt::access
