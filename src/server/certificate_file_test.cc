#include "server/certificate_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/file.h"
#include "os/system_random.h"
#include "quic/certificate.h"

namespace qdt::server {
namespace {

class CertificateFileTest : public testing::Test {
 protected:
  CertificateFileTest() { std::filesystem::create_directory(folder); }
  ~CertificateFileTest() override { std::filesystem::remove_all(folder); }

  std::string error() const {
    const auto loaded = load_certificate(certificate, key);
    return loaded ? "" : loaded.error().message;
  }
  static quic::PemCertificate make() { return *quic::make_self_signed_certificate({}, {}); }
  static void write(const std::string& path, std::string_view content) {
    ASSERT_TRUE(os::replace_private_file(path, content));
  }

  const std::string folder =
      testing::TempDir() + "qdt-certificate-test-" + std::to_string(os::SystemRandom().number());
  const std::string certificate = folder + "/server.crt";
  const std::string key = folder + "/server.key";
  const quic::PemCertificate pem = make();
};

TEST_F(CertificateFileTest, LoadsAPair) {
  write(certificate, pem.certificate);
  write(key, pem.key);
  const auto loaded = load_certificate(certificate, key);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->certificate().is_self_signed);
  const auto& [begin, end] = loaded->certificate().validity;
  EXPECT_EQ(end - begin, std::int64_t{3651} * 24 * 60 * 60);
}

TEST_F(CertificateFileTest, NamesTheFileThatIsMissing) {
  EXPECT_TRUE(error().starts_with("tls_cert: read " + certificate + ": ")) << error();
  write(certificate, pem.certificate);
  EXPECT_TRUE(error().starts_with("tls_key: read " + key + ": ")) << error();
}

TEST_F(CertificateFileTest, NamesTheFileThatIsDamaged) {
  write(certificate, "");
  write(key, pem.key);
  EXPECT_TRUE(error().starts_with("tls_cert: " + certificate + ": it has no certificate"));
  write(certificate, pem.certificate);
  write(key, pem.certificate);
  EXPECT_TRUE(error().starts_with("tls_key: " + key + ": it has no private key")) << error();
}

TEST_F(CertificateFileTest, ReadsNoHugeFile) {
  write(certificate, std::string(os::kMaxTextFileBytes + 1, 'x'));
  EXPECT_TRUE(error().contains("larger than 1048576 bytes")) << error();
}

TEST_F(CertificateFileTest, RefusesTheKeyOfAnother) {
  write(certificate, pem.certificate);
  write(key, make().key);
  EXPECT_NE(error().find("do not belong together"), std::string::npos) << error();
}

}  // namespace
}  // namespace qdt::server
