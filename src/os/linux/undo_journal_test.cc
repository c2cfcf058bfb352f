#include "os/linux/undo_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const UndoStep kFirst = RevertResolved{1};
const UndoStep kSecond = RevertResolved{2};
const UndoStep kThird = RevertResolved{3};
const UndoStep kResolvConf = RestoreResolvConf{"old", "new"};

/// While it lives, no file of this process's grows beyond a size.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

/// A directory for journals, gone afterwards.
class LinuxUndoJournalTest : public testing::Test {
 protected:
  LinuxUndoJournalTest() {
    directory_ = testing::TempDir() + "qdt-journal-XXXXXX";
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  ~LinuxUndoJournalTest() override { std::filesystem::remove_all(directory_); }

  UndoJournal open() { return *open_journal(directory_, "qdt0", logger_); }
  std::string path() const {
    return std::filesystem::directory_iterator(directory_)->path().string();
  }

  std::string directory_;
  TestLogger logger_;
};

TEST_F(LinuxUndoJournalTest, KeepsItsStepsForTheNextOwner) {
  {
    UndoJournal journal = open();
    for (const UndoStep& step : {kFirst, kSecond, kThird}) journal.add(step);
    journal.forget_newest();
  }
  EXPECT_THAT(find_journals(directory_), ElementsAre("qdt0"));
  EXPECT_THAT(open().steps(), ElementsAre(kFirst, kSecond));
}

TEST_F(LinuxUndoJournalTest, IsForItsOwnerAlone) {
  UndoJournal journal = open();
  journal.add(kFirst);
  struct stat status{};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LinuxUndoJournalTest, GoesWhenNothingIsLeftToUndo) {
  {
    UndoJournal journal = open();
    journal.add(kFirst);
    journal.forget(kFirst);
  }
  EXPECT_THAT(find_journals(directory_), IsEmpty());
}

TEST_F(LinuxUndoJournalTest, RefusesASecondOwner) {
  const UndoJournal journal = open();
  const auto second = open_journal(directory_, "qdt0", logger_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("device qdt0 is in use by process " + std::to_string(::getpid())));
  EXPECT_TRUE(open_journal(directory_, "qdt1", logger_));
}

TEST_F(LinuxUndoJournalTest, ReadsWhatItCanOfADamagedFile) {
  {
    UndoJournal journal = open();
    for (const UndoStep& step : {kFirst, kSecond, kThird}) journal.add(step);
  }
  std::string content = read_text(path());
  content.replace(content.find("\"link\":2"), 8, "\xff garbage");
  write_text(path(), content.substr(0, content.size() - 3));  // and cut off
  EXPECT_THAT(open().steps(), ElementsAre(kFirst));
  EXPECT_THAT(logger_.text, HasSubstr("line 3 of the undo journal " + path() + " is damaged"));
  EXPECT_THAT(logger_.text, HasSubstr("line 4 of"));
}

TEST_F(LinuxUndoJournalTest, ForgetsWhatAnEarlierNetworkOfTheSameNumberTookWithIt) {
  {
    UndoJournal journal = open();
    journal.add(kFirst);
    journal.add(kResolvConf);
  }
  std::string content = read_text(path());
  content.insert(content.find('\n'), "7");  // another cookie
  write_text(path(), content);
  EXPECT_THAT(open().steps(), ElementsAre(kResolvConf));
}

TEST_F(LinuxUndoJournalTest, ReadsALineThatLacksNothingButItsEnd) {
  {
    UndoJournal journal = open();
    journal.add(kFirst);
  }
  const std::string content = read_text(path());
  write_text(path(), content.substr(0, content.size() - 1));
  EXPECT_THAT(open().steps(), ElementsAre(kFirst));
}

TEST_F(LinuxUndoJournalTest, KeepsItsFileWholeWhenAStepDoesNotFitOnTheDisk) {
  UndoJournal journal = open();
  journal.add(kFirst);
  const std::string before = read_text(path());
  {
    const FileSizeLimit limit(before.size() + 5);
    journal.add(kSecond);
    EXPECT_EQ(read_text(path()), before);
    journal.add(kThird);
  }
  EXPECT_EQ(read_text(path()), before);
  EXPECT_THAT(journal.steps(), ElementsAre(kFirst, kSecond, kThird));
  journal.forget(kThird);
  EXPECT_TRUE(read_text(path()).starts_with(before));
  EXPECT_GT(read_text(path()).size(), before.size());
}

TEST_F(LinuxUndoJournalTest, IsOfItsNetworkAlone) {
  const UndoJournal journal = open();
  in_fresh_network([&] {
    EXPECT_THAT(find_journals(directory_), IsEmpty());
    EXPECT_TRUE(open_journal(directory_, "qdt0", logger_));
  });
}

TEST_F(LinuxUndoJournalTest, SaysWhatToDoWhereItsDirectoryCannotBeMade) {
  const auto lock = lock_journals("/proc/qdt");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("RuntimeDirectory=qdt"));
}

TEST_F(LinuxUndoJournalTest, NamesWhoeverDoesNotLetGoOfTheLock) {
  const auto held = lock_journals(directory_);
  ASSERT_TRUE(held);
  const auto second = lock_journals(directory_, 20ms);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr("process " + std::to_string(::getpid()) + " (os_test"),
                    HasSubstr("SIGCONT")));
}

TEST_F(LinuxUndoJournalTest, WaitsForTheLock) {
  auto held = lock_journals(directory_);
  ASSERT_TRUE(held);
  std::thread holder([&] {
    std::this_thread::sleep_for(20ms);
    held->reset();
  });
  EXPECT_TRUE(lock_journals(directory_));
  holder.join();
}

}  // namespace
}  // namespace qdt::os
