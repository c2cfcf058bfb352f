#include "users/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/scratch_folder.h"
#include "support/seeded_random.h"
#include "users/database.h"
#include "users/sqlite_open.h"
#include "wire/seal.h"

namespace qdt::users {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1796026934;  // 2026-11-30T08:22:14Z
const Deed kDeed{.at = kNow, .who = "root", .what = "a test"};

User user_named(const std::string& name, std::uint64_t id) {
  return {.id = id, .name = name, .created = kNow};
}

Device device_with_key(const std::string& name, std::uint64_t id, std::uint8_t key) {
  return {.id = id, .name = name, .key = wire::Ed25519PublicKey{key}, .created = kNow};
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    auto opened = open_sqlite_store(file_, random_, kNow);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened->store);
    damage_ = opened->damage.value_or("");
  }
  Result<std::uint64_t> put(const User& user) {
    return store_->change(kDeed, [&](Edit& edit) { return edit.put_user(user); });
  }
  std::string error_of(const auto& result) { return result ? "" : result.error().message; }

  qdt::testing::ScratchFolder folder_;
  qdt::testing::SeededRandom random_{1};
  SqliteFile file_{.path = folder_.file("qdt.db"),
                   .key_path = folder_.file("qdt.db.key"),
                   .patience_milliseconds = 10};
  std::unique_ptr<Store> store_;
  std::string damage_;
};

TEST_F(SqliteStoreTest, IsEmptyAndItsOwnersAlone) {
  const auto contents = store_->read();
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->users.empty());
  ASSERT_TRUE(put(user_named("ann", 1)));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(std::filesystem::status(file_.path + suffix).permissions(),
              std::filesystem::perms(0600))
        << suffix;
  }
}

TEST_F(SqliteStoreTest, KeepsAllOfAUser) {
  Device phone = device_with_key("phone", 11, 1);
  phone.psk = wire::PresharedKey{7};
  phone.address = *IpAddress::parse("10.8.0.7");
  phone.address6 = *IpAddress::parse("fd00::7");
  const Device old{.id = 12, .name = "old", .token = "a token", .created = kNow};
  const Device tv{.id = 13,
                  .name = "tv",
                  .login = {{.name = "tv", .secret_digest = wire::secret_digest("x")}},
                  .created = kNow};
  User ann = user_named("ann", 1);
  ann.expires = kNow + 60;
  ann.group = "staff";
  ann.limits = {.up = 20'000'000,
                .down = 100'000'000,
                .quota = Quota{.bytes = 1'000'000, .reset_day = 15, .then = 64'000},
                .max_devices = 3,
                .max_sessions = 4,
                .allowed = {*Prefix::parse("192.0.2.0/24"), *Prefix::parse("2001:db8::/32")}};
  ann.devices = {old, phone, tv};
  ann.tickets = {
      {.id = 21, .key = wire::Ed25519PublicKey{4}, .created = kNow, .expires = kNow + 9},
      {.id = 22, .key = wire::Ed25519PublicKey{5}, .created = kNow, .expires = 7, .device = 11}};
  const auto changed = store_->change(kDeed, [&](Edit& edit) -> Result<void> {
    if (auto ok = edit.put_group({.name = "staff", .limits = {.down = 5'000'000}}); !ok) return ok;
    return edit.put_user(ann);
  });
  ASSERT_TRUE(changed) << changed.error().message;
  open();
  const auto contents = store_->read();
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_EQ(contents->users, std::vector{ann});
  EXPECT_EQ(contents->groups.at(0).limits.down, 5'000'000u);
  EXPECT_EQ(contents->locked_devices, 0u);
}

TEST_F(SqliteStoreTest, FindsTheUserOfATicket) {
  User ann = user_named("ann", 1);
  ann.tickets = {{.id = 21, .key = wire::Ed25519PublicKey{4}}};
  ASSERT_TRUE(put(ann));
  const auto changed = store_->change(kDeed, [&](Edit& edit) -> Result<void> {
    auto found = edit.find_invited(21);
    EXPECT_TRUE(found && *found && **found == ann);
    found = edit.find_invited(22);
    EXPECT_TRUE(found && !*found);
    return edit.remove_user(1);
  });
  ASSERT_TRUE(changed) << changed.error().message;
  ASSERT_TRUE(put({.id = 2, .name = "bob", .tickets = ann.tickets}));  // nothing of ann's is left
  ann.tickets.assign(kMaxTicketsOfUser + 1, {});
  EXPECT_THAT(error_of(put(ann)), HasSubstr("64 links already"));
}

TEST_F(SqliteStoreTest, HasNoSecretInItsFile) {
  User ann = user_named("ann", 1);
  ann.devices = {{.id = 1, .name = "old", .token = "a very secret token"}};
  ASSERT_TRUE(put(ann));
  store_.reset();
  std::ifstream stream(file_.path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_GT(bytes.size(), 4096u);
  EXPECT_EQ(bytes.find("very secret"), bytes.npos);
}

TEST_F(SqliteStoreTest, CountsEachChangeOnceAndWritesItDown) {
  EXPECT_EQ(store_->revision(), 0u);
  EXPECT_EQ(put(user_named("ann", 1)), 1u);
  EXPECT_EQ(put(user_named("bob", 2)), 2u);
  EXPECT_FALSE(put(user_named("ann", 3)));
  EXPECT_EQ(store_->revision(), 2u);
  EXPECT_EQ(*store_->deeds(10), (std::vector{kDeed, kDeed}));
  EXPECT_EQ(store_->deeds(1)->size(), 1u);
}

TEST_F(SqliteStoreTest, UndoesAChangeThatFailsAsAWhole) {
  const auto changed = store_->change(kDeed, [&](Edit& edit) -> Result<void> {
    if (auto ok = edit.put_user(user_named("ann", 1)); !ok) return ok;
    return fail("no");
  });
  EXPECT_EQ(error_of(changed), "no");
  EXPECT_TRUE(store_->read()->users.empty());
  EXPECT_TRUE(put(user_named("bob", 2)));
}

TEST_F(SqliteStoreTest, ReplacesTheDevicesOfAUser) {
  User ann = user_named("ann", 1);
  ann.devices = {device_with_key("phone", 11, 1), device_with_key("laptop", 12, 2)};
  ASSERT_TRUE(put(ann));
  ann.devices = {device_with_key("laptop", 12, 3)};
  ASSERT_TRUE(put(ann));
  EXPECT_EQ(store_->read()->users.at(0).devices, ann.devices);
  ASSERT_TRUE(store_->change(kDeed, [](Edit& edit) { return edit.remove_user(1); }));
  EXPECT_TRUE(store_->read()->users.empty());
  User bob = user_named("bob", 2);
  bob.devices = {device_with_key("laptop", 12, 3)};
  EXPECT_TRUE(put(bob));  // nothing of hers is left
}

TEST_F(SqliteStoreTest, FindsAUserByNameAndByDevice) {
  User ann = user_named("ann", 1);
  ann.devices = {device_with_key("phone", 11, 1)};
  ASSERT_TRUE(put(ann));
  ASSERT_TRUE(store_->change(kDeed, [&](Edit& edit) -> Result<void> {
    EXPECT_EQ(*edit.find_user("ann"), ann);
    EXPECT_EQ(*edit.find_owner(11), ann);
    EXPECT_EQ(*edit.find_owner(12), std::nullopt);
    EXPECT_EQ(*edit.find_user("bob"), std::nullopt);
    return {};
  }));
}

TEST_F(SqliteStoreTest, RefusesWhatItsBoundsDoNotAllow) {
  User ann = user_named("ann", 1);
  ann.devices = {device_with_key("phone", 11, 1)};
  ASSERT_TRUE(put(ann));
  const auto refused = [&](User user) { return error_of(put(user)); };
  EXPECT_EQ(refused(user_named("ann", 2)), "there is a user ann already");
  EXPECT_THAT(refused(user_named("default", 2)), HasSubstr("take another name"));
  EXPECT_THAT(refused(user_named("a b", 2)), HasSubstr("it has other characters"));
  User bob = user_named("bob", 2);
  bob.devices = {device_with_key("tv", 12, 1)};
  EXPECT_EQ(refused(bob),
            "the device tv of bob has the key, token or secret of the device phone of ann");
  bob.devices = {device_with_key("tv", 12, 2), device_with_key("tv", 13, 3)};
  EXPECT_EQ(refused(bob), "there is the device tv of bob already; rotate gives it another key");
  bob.devices = {{.id = 14, .name = "bare"}};
  EXPECT_THAT(refused(bob), HasSubstr("neither a key nor a token"));
  bob.devices = {device_with_key("a", 12, 2), device_with_key("b", 13, 3)};
  bob.limits.max_devices = 1;
  EXPECT_THAT(refused(bob), HasSubstr("bob may have 1 devices at most"));
  bob.devices.clear();
  bob.limits.max_devices = 0;
  EXPECT_THAT(refused(bob), HasSubstr("disable the user instead"));
  bob.limits = {.quota = Quota{.bytes = 1, .reset_day = 29}};
  EXPECT_THAT(refused(bob), HasSubstr("1 to 28"));
  bob.limits = {};
  bob.group = "none";
  EXPECT_EQ(refused(bob), "there is no group none");
  EXPECT_EQ(store_->revision(), 1u);
}

TEST_F(SqliteStoreTest, KeepsAGroupWhileItHasUsers) {
  User ann = user_named("ann", 1);
  ann.group = "staff";
  ASSERT_TRUE(store_->change(kDeed, [&](Edit& edit) -> Result<void> {
    if (auto ok = edit.put_group({.name = "staff"}); !ok) return ok;
    return edit.put_user(ann);
  }));
  const auto remove = [](Edit& edit) { return edit.remove_group("staff"); };
  EXPECT_THAT(error_of(store_->change(kDeed, remove)),
              HasSubstr("still has users, ann among them"));
  ann.group = "";
  ASSERT_TRUE(put(ann));
  EXPECT_TRUE(store_->change(kDeed, remove));
}

TEST_F(SqliteStoreTest, HoldsUsersToTheDevicesOfTheirGroup) {
  const auto put_group = [&](const Group& group) {
    return store_->change(kDeed, [&](Edit& edit) { return edit.put_group(group); });
  };
  EXPECT_THAT(error_of(put_group({.name = "none"})), HasSubstr("take another name"));
  ASSERT_TRUE(put_group({.name = "staff", .limits = {.max_devices = 1}}));
  User ann = user_named("ann", 1);
  ann.group = "staff";
  ann.devices = {device_with_key("a", 11, 1), device_with_key("b", 12, 2)};
  EXPECT_THAT(error_of(store_->change(kDeed, [&](Edit& edit) { return edit.put_user(ann); })),
              HasSubstr("ann of the group staff may have 1 devices at most"));
  ASSERT_TRUE(put_group({.name = "staff", .limits = {.max_devices = 2}}));
  ASSERT_TRUE(put(ann));
  EXPECT_THAT(error_of(put_group({.name = "staff", .limits = {.max_devices = 1}})),
              HasSubstr("the user ann of the group staff has more than 1 devices already"));
  ann.limits.max_devices = 2;
  ASSERT_TRUE(put(ann));
  EXPECT_TRUE(put_group({.name = "staff", .limits = {.max_devices = 1}})) << "she has her own";
}

TEST_F(SqliteStoreTest, CountsUsageOnceHoweverOftenItIsTold) {
  ASSERT_TRUE(put(user_named("ann", 1)));
  const Usage first{
      .user = 1, .device = 11, .period = 202611, .node = "a", .epoch = 5, .up = 10, .down = 20};
  Usage more = first;
  more.up = 15;
  Usage next_run = first;
  next_run.epoch = 6;
  const std::vector<Usage> told = {first, more, first, next_run, next_run};
  ASSERT_TRUE(store_->count({.usage = told}));
  ASSERT_TRUE(store_->count({.usage = told}));
  EXPECT_EQ(*store_->usage(202611), (std::vector{more, next_run}));
  EXPECT_TRUE(store_->usage(202612)->empty());
  EXPECT_EQ(store_->revision(), 1u);
}

TEST_F(SqliteStoreTest, KeepsNoUsageOfWhoIsGone) {
  User ann = user_named("ann", 1);
  ann.devices = {device_with_key("phone", 10, 1)};
  ASSERT_TRUE(put(ann));
  const std::vector<Usage> told = {{.user = 1, .period = 202611, .up = 1},
                                   {.user = 2, .period = 202611, .up = 1},
                                   {.user = 0, .period = 202611, .up = 1}};
  ASSERT_TRUE(store_->count(
      {.usage = told,
       .days = {{.user = 1, .day = 20261130, .bytes = 1}, {.user = 2, .day = 20261130, .bytes = 1}},
       .sightings = {{.device = 10, .at = 5}, {.device = 99, .at = 5}}}));
  EXPECT_EQ(store_->usage(202611)->size(), 2u);  // the configuration's user has no row
  EXPECT_EQ(store_->days(0)->size(), 1u);
  EXPECT_EQ(*store_->sightings(), (std::vector<Sighting>{{.device = 10, .at = 5}}));
  ASSERT_TRUE(store_->change(kDeed, [](Edit& edit) { return edit.remove_user(1); }));
  EXPECT_EQ(store_->usage(202611)->size(), 1u);
  EXPECT_TRUE(store_->days(0)->empty());
  EXPECT_TRUE(store_->sightings()->empty());
}

TEST_F(SqliteStoreTest, KeepsTheUsageOfADeviceThatIsGone) {
  User ann = user_named("ann", 1);
  ann.devices = {device_with_key("phone", 10, 1)};
  ASSERT_TRUE(put(ann));
  ann.devices.clear();
  ASSERT_TRUE(put(ann));
  const Usage usage{.user = 1, .device = 10, .period = 202611, .node = "a", .epoch = 1, .up = 7};
  ASSERT_TRUE(store_->count({.usage = {usage}, .sightings = {{.device = 10, .at = 5}}}));
  EXPECT_EQ(*store_->usage(202611), std::vector{usage});
  EXPECT_TRUE(store_->sightings()->empty());
}

TEST_F(SqliteStoreTest, SumsTheDaysOfAUserAndKeepsTheLatest) {
  ASSERT_TRUE(put(user_named("ann", 1)));
  const DayUsage day{.user = 1, .day = 20261130, .node = "a", .epoch = 1, .bytes = 5};
  DayUsage next_run = day;
  next_run.epoch = 2;
  for (int twice = 0; twice < 2; ++twice) ASSERT_TRUE(store_->count({.days = {day, next_run}}));
  EXPECT_EQ(*store_->days(20261130),
            (std::vector<DayUsage>{{.user = 1, .day = 20261130, .bytes = 10}}));
  EXPECT_TRUE(store_->days(20261201)->empty());
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(store_->count({.days = {{.user = 1, .day = 20270000 + n, .bytes = 1}}}));
  }
  EXPECT_EQ(store_->days(0)->size(), Store::kDaysKept);
}

// --- files that are not as they should be ---

TEST_F(SqliteStoreTest, KeepsADamagedFileAsideAndBeginsAnew) {
  ASSERT_TRUE(put(user_named("ann", 1)));
  store_.reset();
  std::ofstream(file_.path) << "this is no database, however long one looks at it";
  open();
  EXPECT_THAT(damage_, HasSubstr("it is kept as " + file_.path + ".damaged-20261130T082214Z"));
  EXPECT_TRUE(std::filesystem::exists(file_.path + ".damaged-20261130T082214Z"));
  EXPECT_TRUE(store_->read()->users.empty());
  EXPECT_TRUE(put(user_named("bob", 2)));
}

TEST_F(SqliteStoreTest, FindsDamageBehindAGoodHead) {
  for (std::uint64_t i = 1; i <= 300; ++i) {
    ASSERT_TRUE(put(user_named("user" + std::to_string(i), i)));
  }
  store_.reset();
  {
    std::fstream file(file_.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0, std::ios::end);
    const auto size = static_cast<long>(file.tellp());
    for (long at = 8192; at + 512 < size; at += 4096) {
      file.seekp(at);
      file << std::string(512, '\x5a');
    }
  }
  open();
  EXPECT_THAT(damage_, HasSubstr("damaged"));
  EXPECT_TRUE(store_->read()->users.empty());
}

TEST_F(SqliteStoreTest, LeavesANewerSchemaAlone) {
  store_.reset();
  {
    auto database = *Database::open(file_.path, 0);
    ASSERT_TRUE(database->run("UPDATE store SET schema_version = 99"));
    ASSERT_TRUE(database->run("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  const auto before = std::filesystem::last_write_time(file_.path);
  const auto opened = open_sqlite_store(file_, random_, kNow);
  EXPECT_THAT(error_of(opened),
              HasSubstr("a newer qdt-server has written it (schema 99, this one knows 4)"));
  EXPECT_EQ(std::filesystem::last_write_time(file_.path), before);
}

TEST_F(SqliteStoreTest, BringsAnOlderSchemaUpToDate) {
  store_.reset();
  for (int version = 0; version < kSchemaVersion; ++version) {
    std::filesystem::remove(file_.path);
    ASSERT_TRUE(make_older_sqlite_store(file_.path, version));
    if (version > 0) {
      auto database = *Database::open(file_.path, 0);
      ASSERT_TRUE(
          database->run("INSERT INTO users (id, name, is_enabled, group_name, created, allowed) "
                        "VALUES (1, 'ann', 1, '', 0, '')"));
    }
    open();
    EXPECT_EQ(damage_, "");
    EXPECT_EQ(store_->read()->users.size(), version > 0 ? 1u : 0u);
    EXPECT_TRUE(store_->deeds(1));
    ASSERT_TRUE(store_->count({.days = {{.day = 20261130, .bytes = 1}}}));
    EXPECT_EQ(store_->days(0)->size(), 1u);
    EXPECT_TRUE(store_->sightings()->empty());
    store_.reset();
  }
}

TEST_F(SqliteStoreTest, LeavesAnotherProgramsDatabaseAlone) {
  store_.reset();
  std::filesystem::remove(file_.path);
  {
    ASSERT_TRUE(make_older_sqlite_store(file_.path, 0));
    ASSERT_TRUE((*Database::open(file_.path, 0))->run("CREATE TABLE songs (title TEXT)"));
  }
  EXPECT_THAT(error_of(open_sqlite_store(file_, random_, kNow)),
              HasSubstr("another program's database"));
  EXPECT_FALSE(std::filesystem::exists(file_.path + ".damaged-20261130T082214Z"));
}

TEST_F(SqliteStoreTest, RefusesAFileThatOthersMayRead) {
  store_.reset();
  std::filesystem::permissions(file_.path, std::filesystem::perms(0644));
  EXPECT_THAT(error_of(open_sqlite_store(file_, random_, kNow)), HasSubstr("chmod"));
}

TEST_F(SqliteStoreTest, SaysThatSomebodyHasItLocked) {
  auto other = *Database::open(file_.path, 0);
  ASSERT_TRUE(other->run("BEGIN IMMEDIATE"));
  const auto changed = put(user_named("ann", 1));
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kBusy);
  EXPECT_TRUE(store_->read());  // who is known is known
  ASSERT_TRUE(other->run("ROLLBACK"));
  EXPECT_TRUE(put(user_named("ann", 1)));
}

TEST_F(SqliteStoreTest, SaysThatItsFileIsGoneOrAnother) {
  ASSERT_TRUE(put(user_named("ann", 1)));
  std::filesystem::rename(file_.path, file_.path + ".away");
  EXPECT_THAT(error_of(put(user_named("bob", 2))), HasSubstr("deleted or replaced"));
  EXPECT_THAT(error_of(store_->revision()), HasSubstr("deleted or replaced"));
  std::filesystem::rename(file_.path + ".away", file_.path);
  EXPECT_TRUE(put(user_named("bob", 2)));
}

TEST_F(SqliteStoreTest, LocksDevicesWhoseKeyIsLostAndKeepsTheirSecrets) {
  User ann = user_named("ann", 1);
  ann.devices = {{.id = 11, .name = "old", .token = "a token"}, device_with_key("phone", 12, 1)};
  ASSERT_TRUE(put(ann));
  std::filesystem::rename(file_.key_path, file_.key_path + ".away");
  open();
  auto contents = store_->read();
  EXPECT_EQ(contents->locked_devices, 1u);
  EXPECT_TRUE(contents->users[0].devices[0].is_locked);
  EXPECT_FALSE(contents->users[0].devices[1].is_locked);
  contents->users[0].is_enabled = false;
  ASSERT_TRUE(put(contents->users[0]));
  std::filesystem::rename(file_.key_path + ".away", file_.key_path);
  open();
  EXPECT_EQ(store_->read()->users[0].devices[0].token, "a token");
  EXPECT_FALSE(store_->read()->users[0].is_enabled);
}

}  // namespace
}  // namespace qdt::users
