#include "os/windows/program_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "os/file.h"
#include "os/windows/program_folder.h"

// After <windows.h>, whose types it needs.
#include <wintrust.h>

namespace qdt::os {
namespace {

// The headers of a library, and a table of certificates behind them.
class ImageBytes : public testing::Test {
 protected:
  static constexpr std::size_t kHeaders = 64;
  static constexpr std::size_t kTable = 512;

  ImageBytes() {
    IMAGE_DOS_HEADER dos{};
    dos.e_magic = IMAGE_DOS_SIGNATURE;
    dos.e_lfanew = kHeaders;
    put(0, dos);
    headers.Signature = IMAGE_NT_SIGNATURE;
    headers.FileHeader.Machine = IMAGE_FILE_MACHINE_AMD64;
    headers.OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    headers.OptionalHeader.NumberOfRvaAndSizes = IMAGE_NUMBEROF_DIRECTORY_ENTRIES;
    headers.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_SECURITY] = {kTable, 64};
    put(kTable, WIN_CERTIFICATE{.dwLength = 64,
                                .wRevision = WIN_CERT_REVISION_2_0,
                                .wCertificateType = WIN_CERT_TYPE_PKCS_SIGNED_DATA});
  }
  template <typename T>
  void put(std::size_t at, const T& value) {
    std::memcpy(file.data() + at, &value, sizeof value);
  }
  Result<ProgramImage> parse() {
    put(kHeaders, headers);
    return parse_program_image(file);
  }

  std::vector<std::uint8_t> file = std::vector<std::uint8_t>(kTable + 64);
  IMAGE_NT_HEADERS64 headers{};
};

TEST_F(ImageBytes, SayMachineAndSignature) {
  const auto image = parse();
  ASSERT_TRUE(image);
  EXPECT_EQ(image->machine, IMAGE_FILE_MACHINE_AMD64);
  EXPECT_TRUE(image->has_signature);
}

TEST_F(ImageBytes, HaveNoSignatureWithoutATable) {
  headers.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_SECURITY] = {};
  EXPECT_FALSE(parse()->has_signature);
}

TEST_F(ImageBytes, HaveNoSignatureThatIsBehindTheirEnd) {
  headers.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_SECURITY] = {kTable, 65};
  EXPECT_FALSE(parse()->has_signature);
  headers.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_SECURITY] = {0xfffffff0, 0xff};
  EXPECT_FALSE(parse()->has_signature);
}

TEST_F(ImageBytes, AreRefusedWhenTheyAreNoImage) {
  EXPECT_FALSE(parse_program_image({}));
  EXPECT_FALSE(parse_program_image(as_bytes("MZ")));
  headers.Signature = 0;
  EXPECT_FALSE(parse());
}

TEST(ProgramImage, OfThisTestIsForThisMachineAndNotSigned) {
  const auto content = read_file(own_path());
  ASSERT_TRUE(content);
  const auto image = parse_program_image(as_bytes(*content));
  ASSERT_TRUE(image);
  EXPECT_EQ(name_of_machine(image->machine), "x86-64");
  EXPECT_FALSE(image->has_signature);
  EXPECT_FALSE(verify_signature(own_path()));
}

}  // namespace
}  // namespace qdt::os
