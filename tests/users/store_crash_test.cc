// A store whose program is killed, whose disk is full or read-only, and one that has very many
// users.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "support/scratch_folder.h"
#include "support/seeded_random.h"
#include "users/ledger.h"
#include "users/roster.h"
#include "users/sqlite_store.h"
#include "users/usage_collector.h"

namespace qdt::users {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1796026934;
const Deed kDeed{.at = kNow, .who = "root", .what = "a test"};

SqliteFile file_in(const std::string& folder) {
  return {.path = folder + "/qdt.db", .key_path = folder + "/qdt.db.key"};
}

User user_number(std::uint64_t number) {
  User user{.id = number, .name = "u" + std::to_string(number), .created = kNow};
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::uint64_t id = 10 * number + i;
    Device device{.id = id, .name = "d" + std::to_string(i), .key = wire::Ed25519PublicKey{}};
    store_be<std::uint64_t>(device.key->data(), id);
    user.devices.push_back(std::move(device));
  }
  return user;
}

Result<std::uint64_t> put(Store& store, const User& user) {
  return store.change(kDeed, [&](Edit& edit) { return edit.put_user(user); });
}

// What the child has said that it has done: one of these for each write that returned well.
struct Acknowledged {
  bool is_user = false;  // else a count
  std::uint64_t number = 0;
};

// Until it is killed: users, one after the other, and counts of this run that grow by one, each
// told twice, as a server does that has not heard the answer.
[[noreturn]] void write_for_ever(const SqliteFile& file, std::uint64_t first_user,
                                 std::uint64_t epoch, int pipe) {
  qdt::testing::SeededRandom random(epoch);
  const auto opened = open_sqlite_store(file, random, kNow);
  if (!opened || opened->damage) ::_exit(1);
  Store& store = *opened->store;
  Ledger ledger("n", epoch * 1000);
  for (std::uint64_t n = 1;; ++n) {
    const Acknowledged user{.is_user = true, .number = first_user + n};
    if (!put(store, user_number(user.number))) ::_exit(2);
    if (::write(pipe, &user, sizeof user) < 0) ::_exit(3);
    // Two months by turns: a clock that is set to and fro.
    ledger.add(0, 0, {.up_bytes = 1, .down_bytes = 1}, n % 3 == 0 ? kNow + 86400 : kNow);
    const Counts counts = ledger.untold(100);
    for (int twice = 0; twice < 2; ++twice) {
      if (!store.count(counts)) ::_exit(4);
    }
    ledger.told(counts);
    const Acknowledged count{.is_user = false, .number = n};
    if (::write(pipe, &count, sizeof count) < 0) ::_exit(3);
  }
}

TEST(StoreCrash, LosesNothingThatWasAcknowledgedAndDoublesNothing) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  qdt::testing::SeededRandom random(seed);
  qdt::testing::ScratchFolder folder;
  const SqliteFile file = file_in(std::filesystem::path(folder.file("x")).parent_path().string());
  std::vector<std::uint64_t> users;
  std::uint64_t least = 0;
  constexpr std::uint64_t kRounds = 50;
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(file, round * 100'000, round, pipe[1]);
    ::close(pipe[1]);
    std::uint64_t counted = 0;
    const auto take = [&](const Acknowledged& one) {
      if (one.is_user) users.push_back(one.number);
      if (!one.is_user) counted = one.number;
    };
    // Every other run is killed while it opens the store, or soon after.
    Acknowledged one;
    if (round % 2 == 0 && ::read(pipe[0], &one, sizeof one) == sizeof one) take(one);
    ::usleep(static_cast<useconds_t>(random.below(50'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status))
        << "round " << round << ": the child ended with " << WEXITSTATUS(status);
    while (::read(pipe[0], &one, sizeof one) == sizeof one) take(one);
    ::close(pipe[0]);
    least += counted;

    const auto opened = open_sqlite_store(file, random, kNow);
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_FALSE(opened->damage) << *opened->damage;
    const auto contents = opened->store->read();
    ASSERT_TRUE(contents) << contents.error().message;
    ASSERT_GE(contents->users.size(), users.size());
    ASSERT_LE(contents->users.size(), users.size() + round)
        << "one of a round may be unacknowledged";
    std::uint64_t sum = 0;
    for (const int period : {202611, 202612}) {
      const auto kept = opened->store->usage(period);
      ASSERT_TRUE(kept) << kept.error().message;
      for (const Usage& usage : *kept) sum += usage.up;
    }
    ASSERT_GE(sum, least);
    ASSERT_LE(sum, least + round) << "usage is doubled";
    std::uint64_t of_days = 0;
    const auto days = opened->store->days(0);
    ASSERT_TRUE(days) << days.error().message;
    for (const DayUsage& day : *days) of_days += day.bytes;
    ASSERT_EQ(of_days, 2 * sum);
    if (round < kRounds) continue;
    for (const std::uint64_t number : users) {
      const auto found = std::ranges::find(contents->users, number, &User::id);
      ASSERT_NE(found, contents->users.end()) << "user " << number << " is lost";
      EXPECT_EQ(found->devices, user_number(number).devices);
    }
  }
  std::cout << users.size() << " users and " << least << " counts acknowledged in " << kRounds
            << " runs that were killed\n";
  EXPECT_GE(users.size(), kRounds / 2);
}

// In a child with mounts of its own; what it prints is the test's.
template <typename Work>
void in_a_file_system(const char* options, Work work) {
  qdt::testing::ScratchFolder folder;
  const std::string place = std::filesystem::path(folder.file("x")).parent_path().string();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool is_mounted = ::unshare(CLONE_NEWNS) == 0 &&
                            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            ::mount("tmpfs", place.c_str(), "tmpfs", 0, options) == 0;
    if (!is_mounted) ADD_FAILURE() << "cannot mount a file system; run the tests as root";
    if (is_mounted) work(place);
    std::cout << std::flush;
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(StoreDisk, SaysThatItIsFullAndGoesOnOnceItIsNot) {
  in_a_file_system("size=1m", [](const std::string& place) {
    qdt::testing::SeededRandom random(1);
    const auto opened = open_sqlite_store(file_in(place), random, kNow);
    ASSERT_TRUE(opened) << opened.error().message;
    Store& store = *opened->store;
    ASSERT_TRUE(put(store, user_number(1)));
    std::ofstream(place + "/filler") << std::string(2 << 20, 'x');
    Result<std::uint64_t> last = 0;
    std::uint64_t number = 1;
    while (last && number < 5000) last = put(store, user_number(++number));
    ASSERT_FALSE(last);
    EXPECT_THAT(last.error().message, HasSubstr("the disk is full; make room"));
    EXPECT_EQ(store.read()->users.size(), number - 1);
    std::filesystem::remove(place + "/filler");
    EXPECT_TRUE(put(store, user_number(number)));
    EXPECT_EQ(store.read()->users.size(), number);
  });
}

TEST(StoreDisk, IsReadWhereNothingMayBeWritten) {
  in_a_file_system("size=4m", [](const std::string& place) {
    qdt::testing::SeededRandom random(1);
    {
      const auto opened = open_sqlite_store(file_in(place), random, kNow);
      ASSERT_TRUE(put(*opened->store, user_number(1)));
    }
    ASSERT_EQ(::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const auto opened = open_sqlite_store(file_in(place), random, kNow);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->store->read()->users.size(), 1u);
    const auto changed = put(*opened->store, user_number(2));
    ASSERT_FALSE(changed);
    EXPECT_THAT(changed.error().message, HasSubstr("read-only"));
  });
}

// Issue 21's numbers: 10,000 users, 30,000 devices. Time is printed alone; bytes are the same on
// any machine.
TEST(StoreSize, HoldsTenThousandUsersWithThirtyThousandDevices) {
  qdt::testing::ScratchFolder folder;
  const SqliteFile file = file_in(std::filesystem::path(folder.file("x")).parent_path().string());
  qdt::testing::SeededRandom random(1);
  {
    const auto opened = open_sqlite_store(file, random, kNow);
    const auto filled = opened->store->change(kDeed, [](Edit& edit) -> Result<void> {
      for (std::uint64_t n = 1; n <= 10'000; ++n) {
        if (auto ok = edit.put_user(user_number(n)); !ok) return ok;
      }
      return {};
    });
    ASSERT_TRUE(filled) << filled.error().message;
  }
  const std::size_t before = ::mallinfo2().uordblks;
  const auto begun = std::chrono::steady_clock::now();
  access::UserTable::Snapshot table;
  {
    const auto opened = open_sqlite_store(file, random, kNow);
    const auto contents = opened->store->read();
    ASSERT_TRUE(contents) << contents.error().message;
    const auto made = access::UserTable::create(roster_at(*contents, {}, kNow).entries, {});
    ASSERT_TRUE(made) << made.error().message;
    table = *made;
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begun;
  const std::size_t bytes = ::mallinfo2().uordblks - before;
  std::cout << "opened, read and made a table in " << time.count() << " s; the table has "
            << static_cast<double>(bytes) / 1e6 << " MB\n";
  wire::Ed25519PublicKey key{};
  store_be<std::uint64_t>(key.data(), 10 * 7'777 + 2);
  EXPECT_EQ(table->find(access::Credential::of_key(key))->name, "u7777");
  EXPECT_LT(bytes, 30'000'000u);
  EXPECT_LT(time.count(), 60.0);
}

// What the server's thread for users does every quarter of a second, and every six seconds.
TEST(StoreSize, CountsThirtyThousandDevices) {
  qdt::testing::ScratchFolder folder;
  const SqliteFile file = file_in(std::filesystem::path(folder.file("x")).parent_path().string());
  qdt::testing::SeededRandom random(1);
  const auto opened = open_sqlite_store(file, random, kNow);
  Store& store = *opened->store;
  ASSERT_TRUE(store.change(kDeed, [](Edit& edit) -> Result<void> {
    for (std::uint64_t n = 1; n <= 10'000; ++n) {
      if (auto ok = edit.put_user(user_number(n)); !ok) return ok;
    }
    return {};
  }));
  const auto table = *access::UserTable::create(roster_at(*store.read(), {}, kNow).entries, {});
  UsageCollector collector(
      Ledger("n", 1),
      {.count = [&](const Counts& counts) { return store.count(counts); }, .quota_uses = {}});
  collector.follow(table);
  const auto timed = [](const char* what, const auto& work) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begun;
    std::cout << what << ": " << time.count() << " ms\n";
  };
  timed("collect, all away", [&] { collector.collect(kNow); });
  for (int round = 1; round <= 2; ++round) {
    for (const auto& user : table->users()) {
      for (const auto& meter : user->meters) meter->add(1, 1);
    }
    timed("collect, all active", [&] { collector.collect(kNow); });
    timed("tell", [&] { EXPECT_TRUE(collector.tell()); });
  }
  std::uint64_t sum = 0;
  const auto usage = store.usage(202611);
  ASSERT_TRUE(usage);
  for (const Usage& one : *usage) sum += one.up;
  EXPECT_EQ(sum, 2u * 30'000);
}

}  // namespace
}  // namespace qdt::users
