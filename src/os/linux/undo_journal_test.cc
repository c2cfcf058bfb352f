#include "os/linux/undo_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

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

/// A directory for journals, gone afterwards, and a way of undoing that only takes notes.
class UndoJournalTest : public testing::Test {
 protected:
  UndoJournalTest() {
    directory_ = testing::TempDir() + "qdt-journal-XXXXXX";
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  ~UndoJournalTest() override { std::filesystem::remove_all(directory_); }

  UndoJournal open() { return *UndoJournal::open(directory_, "qdt0", logger_); }
  std::string path() const {
    return std::filesystem::directory_iterator(directory_)->path().string();
  }

  std::string directory_;
  TestLogger logger_;
  std::vector<UndoStep> undone_;
  UndoJournal::Undo take_note_ = [this](const UndoStep& step) -> Result<std::string> {
    undone_.push_back(step);
    return "link " + std::to_string(std::get<RevertResolved>(step).link_index);
  };
};

TEST_F(UndoJournalTest, UndoesNewestFirst) {
  UndoJournal journal = open();
  for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
  EXPECT_THAT(journal.undo_down_to(1, take_note_, logger_), ElementsAre("link 3", "link 2"));
  EXPECT_THAT(undone_, ElementsAre(kThird, kSecond));
  EXPECT_THAT(journal.steps(), ElementsAre(kFirst));
}

TEST_F(UndoJournalTest, KeepsItsStepsForTheNextOwner) {
  {
    UndoJournal journal = open();
    for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
    journal.forget_newest();
  }
  EXPECT_THAT(find_journals(directory_), ElementsAre("qdt0"));
  EXPECT_THAT(open().steps(), ElementsAre(kFirst, kSecond));
}

TEST_F(UndoJournalTest, IsForItsOwnerAlone) {
  UndoJournal journal = open();
  ASSERT_TRUE(journal.add(kFirst));
  struct stat status{};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(UndoJournalTest, GoesWhenNothingIsLeftToUndo) {
  {
    UndoJournal journal = open();
    ASSERT_TRUE(journal.add(kFirst));
    journal.undo_down_to(0, take_note_, logger_);
  }
  EXPECT_THAT(find_journals(directory_), IsEmpty());
}

TEST_F(UndoJournalTest, RefusesASecondOwner) {
  const UndoJournal journal = open();
  const auto second = UndoJournal::open(directory_, "qdt0", logger_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("device qdt0 is in use by process " + std::to_string(::getpid())));
  EXPECT_TRUE(UndoJournal::open(directory_, "qdt1", logger_));
}

TEST_F(UndoJournalTest, KeepsWhatCouldNotBeUndone) {
  UndoJournal journal = open();
  for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
  const auto fail_for_second = [&](const UndoStep& step) -> Result<std::string> {
    if (step == kSecond) return fail("no luck");
    return take_note_(step);
  };
  EXPECT_THAT(journal.undo_down_to(0, fail_for_second, logger_), ElementsAre("link 3", "link 1"));
  EXPECT_THAT(journal.steps(), ElementsAre(kSecond));
  EXPECT_THAT(logger_.text, HasSubstr("cannot undo: no luck"));
}

TEST_F(UndoJournalTest, ReadsWhatItCanOfADamagedFile) {
  {
    UndoJournal journal = open();
    for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
  }
  std::string content = read_text(path());
  content.replace(content.find("\"link\":2"), 8, "\xff garbage");
  write_text(path(), content.substr(0, content.size() - 3));  // and cut off
  EXPECT_THAT(open().steps(), ElementsAre(kFirst));
  EXPECT_THAT(logger_.text, HasSubstr("line 3 of the undo journal " + path() + " is damaged"));
  EXPECT_THAT(logger_.text, HasSubstr("line 4 of"));
}

TEST_F(UndoJournalTest, ForgetsWhatAnEarlierNetworkOfTheSameNumberTookWithIt) {
  {
    UndoJournal journal = open();
    ASSERT_TRUE(journal.add(kFirst));
    ASSERT_TRUE(journal.add(kResolvConf));
  }
  std::string content = read_text(path());
  content.insert(content.find('\n'), "7");  // another cookie
  write_text(path(), content);
  EXPECT_THAT(open().steps(), ElementsAre(kResolvConf));
}

TEST_F(UndoJournalTest, UndoesOneStepFromTheMiddle) {
  UndoJournal journal = open();
  for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
  journal.undo_one(kSecond, take_note_, logger_);
  EXPECT_THAT(undone_, ElementsAre(kSecond));
  EXPECT_THAT(journal.steps(), ElementsAre(kFirst, kThird));
}

TEST_F(UndoJournalTest, IsOfItsNetworkAlone) {
  const UndoJournal journal = open();
  in_fresh_network([&] {
    EXPECT_THAT(find_journals(directory_), IsEmpty());
    EXPECT_TRUE(UndoJournal::open(directory_, "qdt0", logger_));
  });
}

TEST_F(UndoJournalTest, SaysWhatToDoWhereItsDirectoryCannotBeMade) {
  const auto lock = lock_journals("/proc/qdt");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("RuntimeDirectory=qdt"));
}

}  // namespace
}  // namespace qdt::os
