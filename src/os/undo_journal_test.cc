#include "os/undo_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/model_journal.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Step = std::string;

std::string line_of(const Step& step) {
  return "step " + step;
}
std::optional<Step> parse(std::string_view line) {
  if (!line.starts_with("step ")) return std::nullopt;
  return Step(line.substr(5));
}

using Journal = BasicUndoJournal<Step, line_of, parse>;

/// A journal in memory, and a way of undoing that only takes notes.
class UndoJournalTest : public testing::Test {
 protected:
  Journal open() {
    return Journal(std::make_unique<ModelJournalFile>(text_, &is_full_), "4711", logger_);
  }
  Journal open_with(std::initializer_list<Step> steps) {
    Journal journal = open();
    for (const Step& step : steps) journal.add(step);
    return journal;
  }

  std::string text_;
  bool is_full_ = false;
  ModelLogger logger_;
  std::vector<Step> undone_;
  Journal::Undo take_note_ = [this](const Step& step) -> Result<std::string> {
    undone_.push_back(step);
    return "undid " + step;
  };
};

TEST_F(UndoJournalTest, UndoesNewestFirst) {
  Journal journal = open_with({"1", "2", "3"});
  EXPECT_THAT(journal.undo_down_to(1, take_note_, logger_), ElementsAre("undid 3", "undid 2"));
  EXPECT_THAT(undone_, ElementsAre("3", "2"));
  EXPECT_THAT(journal.steps(), ElementsAre("1"));
}

TEST_F(UndoJournalTest, KeepsItsStepsForTheNextOwner) {
  open_with({"1", "2", "3"}).forget_newest();
  EXPECT_EQ(text_, "QDT undo journal 1, process 4711\nstep 1\nstep 2\n");
  EXPECT_THAT(open().steps(), ElementsAre("1", "2"));
}

TEST_F(UndoJournalTest, GoesWhenNothingIsLeftToUndo) {
  open_with({"1"}).undo_down_to(0, take_note_, logger_);
  EXPECT_EQ(text_, "");
}

TEST_F(UndoJournalTest, KeepsWhatCouldNotBeUndone) {
  Journal journal = open_with({"1", "2", "3"});
  const auto fail_for_second = [&](const Step& step) -> Result<std::string> {
    if (step == "2") return fail("no luck");
    return take_note_(step);
  };
  EXPECT_THAT(journal.undo_down_to(0, fail_for_second, logger_), ElementsAre("undid 3", "undid 1"));
  EXPECT_THAT(journal.steps(), ElementsAre("2"));
  EXPECT_THAT(logger_.text, HasSubstr("cannot undo: no luck"));
}

TEST_F(UndoJournalTest, UndoesOneStepFromTheMiddle) {
  Journal journal = open_with({"1", "2", "3"});
  journal.undo_one("2", take_note_, logger_);
  EXPECT_THAT(undone_, ElementsAre("2"));
  EXPECT_THAT(journal.steps(), ElementsAre("1", "3"));
}

TEST_F(UndoJournalTest, ReportsDamagedLinesAndReadsTheOthers) {
  text_ = "QDT undo journal 1, process 1\nstep 1\nnonsense\nstep 2\nstep 3";
  EXPECT_THAT(open().steps(), ElementsAre("1", "2"));
  EXPECT_THAT(logger_.text, HasSubstr("line 3 of the undo journal is damaged"));
  EXPECT_THAT(logger_.text, HasSubstr("line 5"));  // it has no end
}

TEST_F(UndoJournalTest, GoesOnInMemoryWhenTheDiskIsFullAndSaysSoOnce) {
  Journal journal = open();
  is_full_ = true;
  journal.add("1");
  journal.add("2");
  EXPECT_THAT(logger_.text,
              StartsWith("warning write the undo journal: There is not enough space"));
  EXPECT_EQ(std::ranges::count(logger_.text, '\n'), 1);
  EXPECT_THAT(journal.undo_down_to(0, take_note_, logger_), ElementsAre("undid 2", "undid 1"));
}

TEST_F(UndoJournalTest, CatchesUpOnceThereIsRoomAgain) {
  Journal journal = open();
  is_full_ = true;
  journal.add("1");
  is_full_ = false;
  journal.add("2");
  EXPECT_EQ(text_, "QDT undo journal 1, process 4711\nstep 1\nstep 2\n");
  EXPECT_THAT(logger_.text, HasSubstr("info the undo journal can be written again"));
}

}  // namespace
}  // namespace qdt::os
