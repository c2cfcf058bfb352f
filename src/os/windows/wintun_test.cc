#include "os/windows/wintun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "os/file.h"
#include "os/system_random.h"
#include "os/windows/program_folder.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A folder with a wintun.dll, or none; the right one is in the end-to-end tests.
class WintunFolder : public testing::Test {
 protected:
  WintunFolder() { ::CreateDirectoryW(native_path(folder).c_str(), nullptr); }
  ~WintunFolder() override {
    static_cast<void>(remove_file(path));
    ::RemoveDirectoryW(native_path(folder).c_str());
  }
  std::string error() {
    const auto loaded = WintunLibrary::load(folder);
    return loaded ? "" : loaded.error().message;
  }

  const std::string folder =
      testing::TempDir() + "qdt-wintun-" + std::to_string(SystemRandom().number());
  const std::string path = folder + "\\wintun.dll";
};

TEST_F(WintunFolder, SaysWhereToGetWhatIsMissing) {
  EXPECT_THAT(error(), AllOf(HasSubstr(path + ": it is not there"),
                             HasSubstr("wintun-0.14.1.zip from www.wintun.net"),
                             HasSubstr("bin\\amd64\\wintun.dll")));
}

TEST_F(WintunFolder, RefusesWhatIsNoLibrary) {
  ASSERT_TRUE(create_private_file(path, "<html>not found</html>"));
  EXPECT_THAT(error(), AllOf(HasSubstr("no Windows library"), HasSubstr("wintun-0.14.1.zip")));
}

TEST_F(WintunFolder, RefusesAnotherArchitecture) {
  std::string image = *read_file(own_path());
  std::uint32_t headers = 0;
  std::memcpy(&headers, image.data() + 0x3c, sizeof headers);
  image[headers + 4] = '\x64';  // IMAGE_FILE_MACHINE_ARM64, 0xaa64
  image[headers + 5] = '\xaa';
  ASSERT_TRUE(create_private_file(path, image));
  EXPECT_THAT(error(), AllOf(HasSubstr("it is for ARM64, not for x86-64"),
                             HasSubstr("bin\\amd64\\wintun.dll")));
}

TEST_F(WintunFolder, RefusesALibraryWithoutASignature) {
  ASSERT_TRUE(create_private_file(path, *read_file(own_path())));
  EXPECT_THAT(error(), HasSubstr("it has no signature"));
}

}  // namespace
}  // namespace qdt::os
