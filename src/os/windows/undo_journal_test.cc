#include "os/windows/undo_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const UndoStep kFirst = RemoveResolutionPolicy{"QDT-1"};
const UndoStep kSecond = RemoveResolutionPolicy{"QDT-2"};
const UndoStep kThird = RemoveResolutionPolicy{"QDT-3"};

class WindowsUndoJournalTest : public testing::Test {
 protected:
  UndoJournal open() {
    return UndoJournal(std::make_unique<ModelJournalFile>(text_, &is_full_), "4711", logger_);
  }

  std::string text_;
  bool is_full_ = false;
  ModelLogger logger_;
  std::vector<UndoStep> undone_;
  UndoJournal::Undo take_note_ = [this](const UndoStep& step) -> Result<std::string> {
    undone_.push_back(step);
    return to_line(step);
  };
};

TEST_F(WindowsUndoJournalTest, UndoesNewestFirst) {
  UndoJournal journal = open();
  for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
  EXPECT_THAT(journal.undo_down_to(1, take_note_, logger_),
              ElementsAre("policy QDT-3", "policy QDT-2"));
  EXPECT_THAT(undone_, ElementsAre(kThird, kSecond));
  EXPECT_THAT(journal.steps(), ElementsAre(kFirst));
}

TEST_F(WindowsUndoJournalTest, KeepsItsStepsForTheNextOwner) {
  {
    UndoJournal journal = open();
    for (const UndoStep& step : {kFirst, kSecond, kThird}) ASSERT_TRUE(journal.add(step));
    journal.forget_newest();
  }
  EXPECT_EQ(text_, "QDT undo journal 1, process 4711\npolicy QDT-1\npolicy QDT-2\n");
  EXPECT_THAT(open().steps(), ElementsAre(kFirst, kSecond));
}

TEST_F(WindowsUndoJournalTest, GoesWhenNothingIsLeftToUndo) {
  {
    UndoJournal journal = open();
    ASSERT_TRUE(journal.add(kFirst));
    journal.undo_down_to(0, take_note_, logger_);
  }
  EXPECT_EQ(text_, "");
}

TEST_F(WindowsUndoJournalTest, KeepsWhatCannotBeUndone) {
  UndoJournal journal = open();
  for (const UndoStep& step : {kFirst, kSecond}) ASSERT_TRUE(journal.add(step));
  const auto fails = [](const UndoStep&) -> Result<std::string> { return fail("busy"); };
  EXPECT_THAT(journal.undo_down_to(0, fails, logger_), IsEmpty());
  EXPECT_THAT(journal.steps(), ElementsAre(kFirst, kSecond));
  EXPECT_THAT(logger_.text, HasSubstr("cannot undo: busy"));
}

TEST_F(WindowsUndoJournalTest, ReportsDamagedLinesAndReadsTheOthers) {
  text_ = "QDT undo journal 1, process 1\npolicy QDT-1\nnonsense\npolicy QDT-2\npolicy QDT-3";
  EXPECT_THAT(open().steps(), ElementsAre(kFirst, kSecond));
  EXPECT_THAT(logger_.text, HasSubstr("line 3 of the undo journal is damaged"));
  EXPECT_THAT(logger_.text, HasSubstr("line 5"));  // it has no end
}

TEST_F(WindowsUndoJournalTest, SaysWhenTheDiskIsFull) {
  UndoJournal journal = open();
  is_full_ = true;
  const auto added = journal.add(kFirst);
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message,
              StartsWith("write the undo journal: There is not enough space"));
  EXPECT_THAT(journal.steps(), IsEmpty());
}

}  // namespace
}  // namespace qdt::os
