#include "os/windows/access.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/system_random.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

class FileAccess : public testing::Test {
 protected:
  ~FileAccess() override { static_cast<void>(remove_file(path)); }
  const std::string path =
      testing::TempDir() + "qdt-access-test-" + std::to_string(SystemRandom().number());
};

TEST_F(FileAccess, OfAPublicFileIsEverybodysToReadAlone) {
  ASSERT_TRUE(create_private_file(path, "x"));
  EXPECT_FALSE(is_readable_by_others(path));
  ASSERT_TRUE(set_access(path, Access::kPublic));
  EXPECT_TRUE(is_readable_by_others(path));
  EXPECT_FALSE(is_writable_by_others(path));
  ASSERT_TRUE(set_access(path, Access::kPrivate));
  EXPECT_FALSE(is_readable_by_others(path));
}

TEST(NativePath, IsGivenWithoutLimitWhenItIsLong) {
  EXPECT_EQ(native_path("C:\\short"), L"C:\\short");
  const std::string name(300, 'x');
  EXPECT_EQ(native_path("C:/a/../" + name), L"\\\\?\\C:\\" + std::wstring(300, L'x'));
  EXPECT_EQ(native_path("\\\\host\\share\\" + name),
            L"\\\\?\\UNC\\host\\share\\" + std::wstring(300, L'x'));
}

TEST(LongPath, HoldsAFile) {
  std::string folder = testing::TempDir() + "qdt-long-" + std::to_string(SystemRandom().number());
  std::vector<std::string> folders;
  for (int i = 0; i < 3; ++i) {
    folders.push_back(folder);
    ASSERT_TRUE(::CreateDirectoryW(native_path(folder).c_str(), nullptr)) << folder;
    folder += "\\" + std::string(120, static_cast<char>('a' + i));
  }
  const std::string path = folders.back() + "\\client.yaml";
  ASSERT_GT(path.size(), 260u);
  EXPECT_TRUE(create_private_file(path, "content"));
  EXPECT_EQ(read_file(path), "content");
  EXPECT_TRUE(remove_file(path));
  for (; !folders.empty(); folders.pop_back()) {
    ::RemoveDirectoryW(native_path(folders.back()).c_str());
  }
}

TEST(Wide, TakesTextInAnyLanguage) {
  const std::string text = "J\xC3\xBCrgen \xF0\x9F\x90\xA7";
  EXPECT_EQ(to_utf8(to_wide(text)), text);
  EXPECT_EQ(to_wide("\xff"), L"\xfffd");
}

}  // namespace
}  // namespace qdt::os
