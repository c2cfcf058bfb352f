#include "os/windows/journal_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "os/model_journal.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const UndoStep kFirst = RemoveResolutionPolicy{"QDT-1"};
const UndoStep kSecond = RemoveResolutionPolicy{"QDT-2"};

class JournalFolderTest : public testing::Test {
 protected:
  JournalFolderTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~JournalFolderTest() override { std::filesystem::remove_all(folder_); }

  UndoJournal open() { return open_journal(folder_, "qdt0", logger_).value(); }

  std::string folder_ = testing::TempDir() + "qdt-journals-" +
                        testing::UnitTest::GetInstance()->current_test_info()->name();
  ModelLogger logger_;
};

TEST_F(JournalFolderTest, KeepsStepsOnDiskUntilTheyAreUndone) {
  {
    UndoJournal journal = open();
    journal.add(kFirst);
    journal.add(kSecond);
    journal.forget_newest();
    journal.add(kSecond);
  }
  EXPECT_THAT(find_journals(folder_), ElementsAre("qdt0"));
  {
    UndoJournal journal = open();
    EXPECT_THAT(journal.steps(), ElementsAre(kFirst, kSecond));
    journal.undo_down_to(0, [](const UndoStep&) -> Result<std::string> { return ""; }, logger_);
  }
  EXPECT_THAT(find_journals(folder_), IsEmpty());
}

TEST_F(JournalFolderTest, IsOneProcesss) {
  UndoJournal journal = open();
  const auto second = open_journal(folder_, "qdt0", logger_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("adapter qdt0 is in use by another qdt-client; stop that"));
  EXPECT_TRUE(open_journal(folder_, "qdt1", logger_));
}

TEST_F(JournalFolderTest, TakesNamesThatAreNotAscii) {
  UndoJournal journal = open_journal(folder_, "T\u00fcnnel 1", logger_).value();
  journal.add(kFirst);
  EXPECT_THAT(find_journals(folder_), ElementsAre("T\u00fcnnel 1"));
}

TEST_F(JournalFolderTest, SaysWhenThereIsNoFolder) {
  const auto journal = open_journal(folder_ + "\\missing", "qdt0", logger_);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr("open the undo journal "));
}

}  // namespace
}  // namespace qdt::os
