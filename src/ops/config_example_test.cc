#include "ops/config_example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "ops/config.h"

namespace qdt::ops {
namespace {

using testing::HasSubstr;

std::string file(const std::string& name) {
  std::ifstream stream(std::string(QDT_SOURCE_DIR) + "/" + name);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A key is commented out by "#" alone, an explanation by "# ".
std::string uncommented(const std::string& text) {
  std::istringstream stream(text);
  std::string result;
  for (std::string line; std::getline(stream, line);) {
    const bool is_key =
        line.starts_with("#  ") || (line.size() > 1 && line[0] == '#' && line[1] != ' ');
    result += (is_key ? line.substr(1) : line) + "\n";
  }
  return result;
}

std::string with_values(std::string text) {
  const std::size_t server = text.find("\nserver: vpn.example.com");
  if (server != std::string::npos) text.replace(server, 24, "\nserver: vpn.corp.test");
  const std::string zeros(64, '0');
  const std::size_t fingerprint = text.find(zeros);
  if (fingerprint != std::string::npos) text.replace(fingerprint, 64, std::string(64, 'a'));
  return text.replace(text.find("REPLACE-ME"), 10, "0123456789abcdef");
}

// `src/ops/config_keys.cc` changed? The failure shows the new text of the file.
TEST(Examples, AreInTheRepository) {
  EXPECT_EQ(file("server.example.yaml"), server_example());
  EXPECT_EQ(file("client.example.yaml"), client_example());
}

TEST(Examples, DoNotRunWithTheirPlaceholder) {
  const auto server = parse_server_config(server_example(), "s");
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("token: found something else"));
  EXPECT_EQ(server.error().message.find('\n'), std::string::npos);
}

TEST(ServerExample, ShowsTheDefaults) {
  const auto minimal = parse_server_config(with_values(server_example()), "s");
  const auto full = parse_server_config(uncommented(with_values(server_example())), "s");
  ASSERT_TRUE(minimal) << minimal.error().message;
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_TRUE(full->config == minimal->config);
}

TEST(ClientExample, ShowsTheDefaults) {
  const auto minimal = parse_client_config(with_values(client_example()), "c");
  auto full = parse_client_config(uncommented(with_values(client_example())), "c");
  ASSERT_TRUE(minimal) << minimal.error().message;
  ASSERT_TRUE(full) << full.error().message;
  // Keys whose default is to have none.
  EXPECT_EQ(std::exchange(full->config.client_id, ""), "laptop");
  EXPECT_NE(std::exchange(full->config.tls_fingerprint, std::nullopt), std::nullopt);
  EXPECT_TRUE(full->config == minimal->config);
}

TEST(KeyTables, HaveARowForEachKey) {
  EXPECT_THAT(
      server_key_table(),
      HasSubstr("| `mtu` | `auto` | auto or a whole number from 576 to 65535 | Largest packet"));
  EXPECT_THAT(server_key_table(), HasSubstr("| `token` | required, or devices |"));
  EXPECT_THAT(server_key_table(), HasSubstr("| `gateway_ip` | the pool's first address |"));
  EXPECT_THAT(client_key_table(), HasSubstr("| `tls_fingerprint` | none, the system's"));
}

TEST(FirstServerConfig, HoldsWhatTheStartMade) {
  const std::string text =
      first_server_config({"to\"ken\\0123456789", "my server.crt", "/etc/qdt/server.key"});
  const auto loaded = parse_server_config(text, "s");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.token, "to\"ken\\0123456789");
  EXPECT_EQ(loaded->config.tls_cert, "my server.crt");
  EXPECT_EQ(loaded->config.tls_key, "/etc/qdt/server.key");
  EXPECT_THAT(text, HasSubstr("\n#mtu: auto\n"));
}

TEST(ClientConfigFor, ConnectsToThatServer) {
  const std::string fingerprint = "sha256:" + std::string(64, 'a');
  const auto loaded = parse_client_config(
      client_config_for("2001:db8::1", 4433, "0123456789abcdef", fingerprint), "c");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.server_host, "2001:db8::1");
  EXPECT_EQ(loaded->config.server_port, 4433);
  EXPECT_EQ(loaded->config.token, "0123456789abcdef");
  EXPECT_EQ(loaded->config.tls_fingerprint->at(0), 0xaa);
}

TEST(ClientConfigFor, TrustsTheSystemWithoutAFingerprint) {
  const auto loaded =
      parse_client_config(client_config_for("vpn.corp.test", 443, "0123456789abcdef", ""), "c");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.server_host, "vpn.corp.test");
  EXPECT_EQ(loaded->config.tls_fingerprint, std::nullopt);
}

}  // namespace
}  // namespace qdt::ops
