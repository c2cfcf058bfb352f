#include "os/linux/file_draft.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

class FileDraftTest : public ::testing::Test {
 protected:
  FileDraftTest() { EXPECT_NE(::mkdtemp(folder.data()), nullptr); }
  ~FileDraftTest() override { shell("rm -r " + folder); }

  std::string folder = "/tmp/qdt-draft-XXXXXX";
  std::string path() const { return folder + "/status"; }
};

TEST_F(FileDraftTest, TakesTheFilesPlaceAsAWhole) {
  write_text(path(), "old");
  auto draft = *FileDraft::begin(path(), 0600);
  EXPECT_EQ(::write(draft.fd(), "new", 3), 3);
  EXPECT_EQ(read_text(path()), "old");
  EXPECT_TRUE(draft.publish());
  EXPECT_EQ(read_text(path()), "new");
  EXPECT_EQ(shell("ls " + folder), "status\n");
  EXPECT_EQ(shell("stat -c %a " + path()), "600\n");
}

TEST_F(FileDraftTest, IsForgottenUnlessItIsPublished) {
  write_text(path(), "old");
  {
    const auto draft = *FileDraft::begin(path(), 0644);
  }
  EXPECT_EQ(read_text(path()), "old");
  EXPECT_EQ(shell("ls " + folder), "status\n");
}

TEST_F(FileDraftTest, TakesThePlaceOfWhatACrashHasLeft) {
  ASSERT_EQ(::symlink("/etc/passwd", (path() + ".new").c_str()), 0);
  auto draft = *FileDraft::begin(path(), 0644);
  EXPECT_TRUE(draft.publish());
  EXPECT_EQ(read_text(path()), "");
  EXPECT_EQ(shell("stat -c %F " + path()), "regular empty file\n");
}

TEST_F(FileDraftTest, SaysWhyItCannotBe) {
  EXPECT_TRUE(FileDraft::begin("/proc/no/such", 0644).error().message.contains("/proc/no/such"));
}

}  // namespace
}  // namespace qdt::os
