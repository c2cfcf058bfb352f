#include "users/sealer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/scratch_folder.h"
#include "support/seeded_random.h"

namespace qdt::users {
namespace {

class SealerTest : public ::testing::Test {
 protected:
  qdt::testing::ScratchFolder folder_;
  qdt::testing::SeededRandom random_{1};
  std::string path_ = folder_.file("key");
};

TEST_F(SealerTest, OpensWhatItHasSealedForThatPlaceAlone) {
  Sealer sealer(path_, random_);
  const auto sealed = sealer.seal("token 1", "secret");
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_EQ(sealed->find("secret"), sealed->npos);
  EXPECT_EQ(sealer.open("token 1", *sealed), "secret");
  EXPECT_EQ(sealer.open("token 2", *sealed), std::nullopt);
  EXPECT_EQ(sealer.open("token 1", "AAAA"), std::nullopt);
  EXPECT_EQ(sealer.open("token 1", "?"), std::nullopt);
}

TEST_F(SealerTest, KeepsItsKeyInAFileOfItsOwner) {
  const auto sealed = *Sealer(path_, random_).seal("p", "secret");
  EXPECT_EQ(Sealer(path_, random_).open("p", sealed), "secret");
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(SealerTest, OpensNothingWithAnotherKey) {
  const auto sealed = *Sealer(path_, random_).seal("p", "secret");
  Sealer other(folder_.file("other"), random_);
  EXPECT_EQ(other.open("p", sealed), std::nullopt);
  EXPECT_TRUE(other.seal("p", "x"));
  EXPECT_EQ(other.open("p", sealed), std::nullopt);
}

TEST_F(SealerTest, MakesNoKeyInPlaceOfOneThatIsDamagedOrOpenToOthers) {
  std::ofstream(path_) << "users-key:AAAA\n";
  std::filesystem::permissions(path_, std::filesystem::perms(0600));
  EXPECT_NE(Sealer(path_, random_).seal("p", "x").error().message.find("damaged"),
            std::string::npos);
  std::filesystem::permissions(path_, std::filesystem::perms(0644));
  EXPECT_NE(Sealer(path_, random_).seal("p", "x").error().message.find("chmod"), std::string::npos);
}

}  // namespace
}  // namespace qdt::users
