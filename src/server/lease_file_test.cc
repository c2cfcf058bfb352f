#include "server/lease_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "os/file.h"
#include "server/server.h"
#include "support/seeded_random.h"
#include "wire/base64.h"
#include "wire/seal.h"

namespace qdt::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Moment kNow{Timestamp(Duration(1000h)), std::chrono::sys_seconds(1'800'000'000s)};
const LeaseBook::Entry kInUse{*IpAddress::parse("10.8.0.2"), {1, 2, 3}, std::nullopt};
const LeaseBook::Entry kKept{*IpAddress::parse("10.8.0.77"), {4, 5, 6}, kNow.time - 90s};

// `later`, as the next process sees it after a reboot: its clock began anew.
Moment after_reboot(std::chrono::seconds later) {
  return {Timestamp(Duration(1min)), kNow.wall + later};
}

TEST(LeaseText, IsReadAsItWasWritten) {
  EXPECT_THAT(*parse_leases(to_text({kInUse, kKept}, kNow), kNow), ElementsAre(kInUse, kKept));
  EXPECT_THAT(*parse_leases(to_text({}, kNow), kNow), ElementsAre());
}

TEST(LeaseText, CountsTheTimeThatTheHostWasDown) {
  const auto entries = parse_leases(to_text({kKept}, kNow), after_reboot(5min));
  EXPECT_EQ(entries->front().ended_at, Timestamp(Duration(1min)) - 5min - 90s);
}

TEST(LeaseText, BelievesNoClockThatWasSetBack) {
  const auto entries = parse_leases(to_text({kKept}, kNow), after_reboot(-240h));
  EXPECT_EQ(entries->front().ended_at, Timestamp(Duration(1min)));
}

TEST(LeaseText, HoldsNoTokens) {
  testing::SeededRandom random(3);
  LeasePool pool(*Prefix::parse("10.8.0.0/24"), *IpAddress::parse("10.8.0.1"), 1);
  LeaseBook book(pool, 10min);
  const auto grant = book.acquire({0, 1}, "", random, kNow.time);
  EXPECT_THAT(to_text(book.entries(kNow.time), kNow), ::testing::Not(HasSubstr(grant->token)));
}

TEST(LeaseText, IsRefusedWhenAnythingOfItIsChanged) {
  const std::string text = to_text({kInUse, kKept}, kNow);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    EXPECT_FALSE(parse_leases(changed, kNow)) << i;
    EXPECT_FALSE(parse_leases(text.substr(0, i), kNow)) << i;
  }
  EXPECT_FALSE(parse_leases(text + "x", kNow));
  EXPECT_FALSE(parse_leases("token: secret\n", kNow));
}

// With a digest that fits: whoever can write the file is no better than a program.
TEST(LeaseText, IsRefusedWithLinesThatAreNoLeases) {
  const std::string empty = to_text({}, kNow);
  const std::string heading = empty.substr(0, empty.find('\n') + 1);
  const std::string digest = wire::encode_base64(LeaseBook::Digest{});
  for (const std::string& line :
       {std::string("\n"), "10.8.0.2 " + digest + "\n", "10.8.0 " + digest + " 1\n",
        "10.8.0.2 " + digest + "A 1\n", "10.8.0.2 " + digest + " -1\n",
        "10.8.0.2 " + digest + " 99999999999999\n", "10.8.0.2 " + digest + " 1x\n",
        "10.8.0.2 " + digest + " -"}) {
    const std::string body = heading + line;
    const std::string text =
        body + "digest " + wire::encode_base64(wire::secret_digest(body)) + "\n";
    EXPECT_EQ(parse_leases(text, kNow).error().message, "it has a line that is no lease") << line;
  }
}

class LineLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

// One process of a server after the other, with one file.
class LeaseFileTest : public ::testing::Test {
 protected:
  LeaseFileTest() {
    const char* name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    folder = std::filesystem::path(::testing::TempDir()) / (std::string("qdt-leases-") + name);
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    path = folder / "server.leases";
  }
  ~LeaseFileTest() override { std::filesystem::remove_all(folder); }

  struct Process {
    Process(const std::string& path, Logger& logger, const char* prefix = "10.8.0.0/24")
        : pool(*Prefix::parse(prefix), *IpAddress::parse("10.8.0.1"), 1),
          file(path, book, [path] { return os::KeptFile::open(path); }, logger) {
      file.load(kNow);
    }
    LeasePool pool;
    LeaseBook book{pool, 10min};
    LeaseFile file;
  };
  std::string open(Process& process) {
    return process.book.acquire({0, 1}, "", random, kNow.time)->token;
  }
  void write(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

  testing::SeededRandom random{3};
  LineLogger logger;
  std::filesystem::path folder;
  std::filesystem::path path;
};

TEST_F(LeaseFileTest, KeepsALeaseForTheNextProcess) {
  Process first(path, logger);
  const std::string token = open(first);
  first.file.save(kNow);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  Process second(path, logger);
  EXPECT_THAT(logger.text, HasSubstr("server.leases: 1 leases are kept"));
  EXPECT_EQ(second.book.acquire({0, 1}, token, random, kNow.time)->token, token);
}

TEST_F(LeaseFileTest, IsWrittenOnlyWhenSomethingHasChanged) {
  Process process(path, logger);
  process.file.save(kNow);
  EXPECT_FALSE(std::filesystem::exists(path));
  open(process);
  process.file.save(kNow);
  write("not again");
  process.file.save(kNow);
  EXPECT_EQ(os::read_file(path), "not again");
  open(process);
  process.file.save(kNow);
  EXPECT_TRUE(parse_leases(*os::read_file(path), kNow));
}

TEST_F(LeaseFileTest, IsReportedAndReplacedWhenItIsDamaged) {
  for (const char* text : {"", "token: secret\n", "# Made by"}) {
    write(text);
    logger.text.clear();
    Process process(path, logger);
    EXPECT_THAT(logger.text, HasSubstr("server.leases: damaged: it is not a file of leases; "));
    process.file.save(kNow);
    EXPECT_TRUE(parse_leases(*os::read_file(path), kNow));
  }
}

// In the root of a file system, where the file is there before the first lease.
TEST_F(LeaseFileTest, IsNotDamagedAsTheHostProcessMakesIt) {
  Server::Options options;
  options.reception.offer.pool = *Prefix::parse("10.8.0.0/24");
  options.reception.offer.gateway = *IpAddress::parse("10.8.0.1");
  write(Server::host_plan(options).no_leases);
  const Process process(path, logger);
  EXPECT_THAT(logger.text, HasSubstr("server.leases: 0 leases are kept"));
}

TEST_F(LeaseFileTest, IsWholeHoweverAWriteWasCutShort) {
  const std::string old = to_text({kInUse}, kNow);
  const std::string next = to_text({kInUse, kKept}, kNow);
  // Written behind the old text first, then in its place: any part of either may be there.
  for (std::size_t done = 0; done <= next.size(); ++done) {
    const std::string gap(next.size() - old.size(), '\0');
    const auto first = find_leases(old + gap + next.substr(0, done), kNow);
    ASSERT_TRUE(first) << done;
    EXPECT_EQ(first->size(), done == next.size() ? 2u : 1u) << done;
    const std::string over = next.substr(0, done) + (old + gap).substr(done) + next;
    const auto second = find_leases(over, kNow);
    ASSERT_TRUE(second) << done;
    EXPECT_EQ(second->size(), 2u) << done;
  }
}

TEST_F(LeaseFileTest, IsMadeAgainWhenSomebodyRemovesIt) {
  Process process(path, logger);
  for (int i = 0; i < 2; ++i) {
    open(process);
    process.file.save(kNow);
    EXPECT_TRUE(std::filesystem::remove(path));
  }
  EXPECT_EQ(logger.text, "");
}

TEST_F(LeaseFileTest, DropsWhatAnotherPoolHad) {
  write(to_text({kInUse, kKept}, kNow));
  const Process process(path, logger, "10.8.0.0/29");
  EXPECT_THAT(logger.text, HasSubstr("server.leases: 1 leases are not of pool_cidr any more"));
}

TEST_F(LeaseFileTest, WarnsOnceWhereItCannotBeWritten) {
  Process process(folder / "nowhere" / "server.leases", logger);
  open(process);
  process.file.save(kNow);
  EXPECT_THAT(logger.text, HasSubstr("No such file or directory; the server works without"));
  logger.text.clear();
  open(process);
  process.file.save(kNow);
  EXPECT_EQ(logger.text, "");
}

}  // namespace
}  // namespace qdt::server
