#include "ops/config_decoy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::ops {
namespace {

using testing::HasSubstr;
using Kind = DecoyConfig::Kind;

Result<Loaded<ServerConfig>> parse(const std::string& yaml) {
  return parse_server_config("token: 0123456789abcdef\n" + yaml, "s.yaml");
}

DecoyConfig decoy_of(const std::string& yaml) {
  const auto loaded = parse(yaml);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded ? loaded->config.decoy : DecoyConfig{};
}

TEST(DecoyConfig, IsAPageByDefault) {
  EXPECT_EQ(decoy_of(""), DecoyConfig{});
  EXPECT_EQ(decoy_of("decoy: page"), DecoyConfig{});
  EXPECT_EQ(decoy_of("decoy: {server: nginx/1.22.1}"), (DecoyConfig{.server = "nginx/1.22.1"}));
}

TEST(DecoyConfig, ReadsEachKind) {
  EXPECT_EQ(decoy_of("decoy: off").kind, Kind::kOff);
  EXPECT_EQ(decoy_of("decoy: {root: /srv/www}"),
            (DecoyConfig{.kind = Kind::kRoot, .root = "/srv/www"}));
  EXPECT_EQ(decoy_of("decoy:\n  status: 404\n  server: x y"),
            (DecoyConfig{.kind = Kind::kStatus, .status = 404, .server = "x y"}));
  const SocketAddress upstream{IpAddress::v4(0x7f000001), 8080};
  for (const char* url :
       {"http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://localhost:8080"}) {
    EXPECT_EQ(decoy_of("decoy: {proxy: \"" + std::string(url) + "\"}"),
              (DecoyConfig{.kind = Kind::kProxy, .proxy = upstream}));
  }
  EXPECT_EQ(decoy_of("decoy: {proxy: http://127.0.0.1}").proxy.port, 80);
  EXPECT_EQ(decoy_of("decoy: {proxy: \"http://[::1]:81\"}").proxy.to_string(), "[::1]:81");
}

struct BadDecoy {
  const char* yaml;
  const char* part;
};

TEST(DecoyConfig, SaysWhatIsWrong) {
  constexpr BadDecoy kBad[] = {
      {"decoy: on", "s.yaml:2:8: decoy: found \"on\", expected page, off, {root: FOLDER}"},
      {"decoy:", "found nothing"},
      {"decoy: [off]", "found a list"},
      {"decoy: {rot: x}", "unknown key rot; known are root, proxy, status, server"},
      {"decoy: {root: [x]}", "root takes one value"},
      {"decoy: {root: \"\"}", "root is a folder"},
      {"decoy: {status: 199}", "a number from 200 to 599"},
      {"decoy: {status: 404.0}", "a number from 200 to 599"},
      {"decoy: {root: x, status: 404}", "exclude one another"},
      {"decoy: {status: 404, root: x}", "exclude one another"},
      {"decoy: {proxy: \"https://127.0.0.1\"}", "expected http://127.0.0.1:PORT"},
      {"decoy: {proxy: \"http://127.0.0.1:0\"}", "expected http://127.0.0.1:PORT"},
      {"decoy: {proxy: \"http://127.0.0.1:80/path\"}", "expected http://127.0.0.1:PORT"},
      {"decoy: {proxy: \"http://192.0.2.1:80\"}", "has to be on this host"},
      {"decoy: {proxy: \"http://127.0.0.1\", server: x}", "leave server out"},
      {"decoy: {server: \"a\\nb\"}", "printable ASCII"}};
  for (const auto& [yaml, part] : kBad) {
    const auto loaded = parse(yaml);
    ASSERT_FALSE(loaded) << yaml;
    EXPECT_THAT(loaded.error().message, HasSubstr(part)) << yaml;
  }
}

}  // namespace
}  // namespace qdt::ops
