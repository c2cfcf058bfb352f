#include "quic/key_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "quic/endpoint_fixture.h"

namespace qdt::quic {
namespace {

using ::testing::HasSubstr;

// A line for each secret of both ends, for the same connection.
TEST_F(EndpointTest, WritesTheSecretsWhereTheOperatorWantsThem) {
  const std::string path = (std::filesystem::path(::testing::TempDir()) / "qdt-key-log").string();
  std::filesystem::remove(path);
  EXPECT_THAT(open_key_log(path), HasSubstr("whoever reads this file"));
  connect();
  ASSERT_TRUE(settle());
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, HasSubstr("CLIENT_TRAFFIC_SECRET_0 "));
  EXPECT_THAT(text, HasSubstr("EXPORTER_SECRET "));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace qdt::quic
