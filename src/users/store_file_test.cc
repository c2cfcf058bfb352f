#include "users/store_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "support/scratch_folder.h"
#include "support/seeded_random.h"

namespace qdt::users {
namespace {

using ::testing::HasSubstr;

class Lines final : public Logger {
 public:
  void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class StoreFileTest : public ::testing::Test {
 protected:
  Result<std::uint64_t> put(Store& store, const std::string& name, std::uint64_t id) {
    return store.change({}, [&](Edit& edit) { return edit.put_user({.id = id, .name = name}); });
  }

  qdt::testing::ScratchFolder folder_;
  qdt::testing::SeededRandom random_{1};
  Lines logger_;
  std::string path_ = folder_.file("qdt.db");
  StoreFile file_{
      {.path = path_, .key_path = folder_.file("key")}, random_, [] { return 0; }, logger_};
};

TEST_F(StoreFileTest, MakesNoFileForWhoOnlyLooks) {
  EXPECT_EQ(*file_.find(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_NE(*file_.find_or_make(), nullptr);
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_NE(*file_.find(), nullptr);
}

TEST_F(StoreFileTest, DoesNotTakeADeletedFileForNoUsers) {
  ASSERT_TRUE(put(**file_.find_or_make(), "ann", 1));
  std::filesystem::rename(path_, path_ + ".away");
  EXPECT_THAT(file_.find().error().message, HasSubstr("deleted"));
  EXPECT_THAT(file_.find_or_make().error().message, HasSubstr("deleted"));
  std::filesystem::rename(path_ + ".away", path_);
  EXPECT_EQ((*file_.find())->read()->users.size(), 1u);
}

TEST_F(StoreFileTest, GoesOnWithABackupThatIsPutInItsPlace) {
  ASSERT_TRUE(put(**file_.find_or_make(), "ann", 1));
  {
    StoreFile other(
        {.path = folder_.file("other.db"), .key_path = folder_.file("key")}, random_,
        [] { return 0; }, logger_);
    ASSERT_TRUE(put(**other.find_or_make(), "bob", 2));
  }
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  std::filesystem::rename(folder_.file("other.db"), path_);
  const auto found = file_.find();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)->read()->users.at(0).name, "bob");
}

TEST_F(StoreFileTest, KeepsADamagedFileAsideAtItsStartAlone) {
  std::ofstream(path_) << std::string(5000, 'x');
  std::filesystem::permissions(path_, std::filesystem::perms(0600));
  ASSERT_TRUE(put(**file_.find(), "ann", 1));
  EXPECT_THAT(logger_.lines.at(0), HasSubstr("it is kept as"));
  std::filesystem::rename(path_, path_ + ".away");
  std::ofstream(path_) << std::string(5000, 'x');
  std::filesystem::permissions(path_, std::filesystem::perms(0600));
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  const auto found = file_.find();
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("damaged"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace qdt::users
