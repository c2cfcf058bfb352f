#include "ops/config_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/key_text.h"
#include "wire/token_keys.h"

namespace qdt::ops {
namespace {

using ::testing::HasSubstr;

const std::string kPublic = wire::public_key_text(wire::Ed25519PublicKey{1});
const std::string kOther = wire::public_key_text(wire::Ed25519PublicKey{2});
const std::string kPrivate = wire::private_key_text(wire::Ed25519Seed{3});
const std::string kPsk = wire::psk_text(wire::PresharedKey{4});
const std::string kDigest = "sha256:" + std::string(64, 'a');

// What a file says: nothing, or its faults.
std::string server_fault(const std::string& lines) {
  const auto loaded = parse_server_config(lines, "s");
  return loaded ? "" : loaded.error().message;
}
std::string client_fault(const std::string& lines) {
  const auto loaded = parse_client_config("server: vpn.test\n" + lines, "c");
  return loaded ? "" : loaded.error().message;
}
std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

TEST(Devices, AreReadWhole) {
  const auto loaded = parse_server_config(
      "devices:\n  - {name: laptop, key: " + quoted(kPublic) + ", psk: " + quoted(kPsk) +
          "}\n  - name: tv\n    login: living-room\n    secret: " + quoted(kDigest) + "\n",
      "s");
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& devices = loaded->config.devices;
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].name, "laptop");
  EXPECT_EQ(devices[0].key, wire::Ed25519PublicKey{1});
  EXPECT_EQ(devices[0].psk, wire::PresharedKey{4});
  EXPECT_EQ(devices[1].login, "living-room");
  ASSERT_TRUE(devices[1].secret_digest);
  EXPECT_EQ((*devices[1].secret_digest)[31], 0xaa);
  EXPECT_TRUE(loaded->config.token.empty());
}

TEST(Devices, NeedWhatTellsThemApart) {
  const auto fault = [](const std::string& list) { return server_fault("devices: " + list); };
  const std::string key = "key: " + quoted(kPublic);
  const std::pair<std::string, std::string> cases[] = {
      {"[{name: a}]", "a device has a key, or a secret"},
      {"[{" + key + "}]", "a device has a name"},
      {"[{name: a, " + key + ", login: b}]", "a login has a secret"},
      {"[{name: a, psk: " + quoted(kPsk) + ", secret: " + quoted(kDigest) + "}]",
       "a psk is for a device with a key"},
      {"[{name: a, key: " + quoted(kPrivate) + "}]", "this is a private key"},
      {"[{name: a, key: zzz}]", "a public key is ed25519:"},
      {"[{name: a, name: b, " + key + "}]", "name comes twice"},
      {"[{name: a, ky: 1}]", "unknown key ky"},
      {"[{name: \"a\\nb\", " + key + "}]", "printable"},
      {"[{name: a, " + key + ", psk: short}]", "a psk is psk:"},
      {"[{name: a, login: \"b:c\", secret: " + quoted(kDigest) + "}]", "a login has 1 to 64"},
      {"[{name: a, secret: hunter2}]", "a secret is given by its digest"},
      {"[{name: a, " + key + "}, {name: a, key: " + quoted(kOther) + "}]", "two devices are named"},
      {"[{name: a, " + key + "}, {name: b, " + key + "}]", "b has the key of a"},
      {"[laptop]", "a device is {name"},
      {"laptop", "a list of devices"},
  };
  for (const auto& [list, told] : cases) EXPECT_THAT(fault(list), HasSubstr(told)) << list;
}

TEST(Devices, AreNeverRepeatedInAnError) {
  EXPECT_EQ(server_fault("devices: [{name: a, psk: hunter2}]").find("hunter2"), std::string::npos);
}

TEST(ServerAuth, NeedsSomebodyWhoMayComeIn) {
  EXPECT_THAT(server_fault("auth: auto"), HasSubstr("token: missing"));
  EXPECT_THAT(server_fault("devices: []"), HasSubstr("nobody could come in"));
  EXPECT_THAT(server_fault("auth: token\ndevices: [{name: a, key: " + quoted(kPublic) + "}]"),
              HasSubstr("there is no token"));
  EXPECT_EQ(server_fault("auth: proof\ntoken: a-token-of-a-test"), "");
}

TEST(ServerAuth, TellsTheDevicesFromTheToken) {
  const wire::Ed25519Key key(wire::derive_token_keys("a-token-of-a-test").client);
  const std::string device =
      "devices: [{name: a, key: " + quoted(wire::public_key_text(key.public_key())) + "}]\n";
  EXPECT_THAT(server_fault(device + "token: a-token-of-a-test"), HasSubstr("made of the token"));
  EXPECT_EQ(server_fault(device + "token: another-token-of-a-test"), "");
}

TEST(ClientAuth, IsByTheTokenOrByAKey) {
  const std::string key = "key: " + quoted(kPrivate) + "\n";
  const std::string server_key = "server_key: " + quoted(kPublic) + "\n";
  EXPECT_EQ(client_fault(key), "");
  EXPECT_EQ(client_fault(key + server_key + "insecure: true\n"), "");
  EXPECT_EQ(client_fault("key_file: device.key\n" + server_key), "");
  EXPECT_EQ(client_fault(key + "psk: " + quoted(kPsk)), "");
  EXPECT_EQ(client_fault(key + "server_key: [" + quoted(kPublic) + ", " + quoted(kOther) + "]"),
            "");
  const std::pair<std::string, std::string> cases[] = {
      {"", "token: missing"},
      {key + "token: a-token-of-a-test", "beside a key"},
      {key + "key_file: device.key", "beside key"},
      {key + "auth: token", "there is a key"},
      {key + "insecure: true", "anybody could be the server"},
      {"token: a-token-of-a-test\n" + server_key, "beside token"},
      {"token: a-token-of-a-test\npsk: " + quoted(kPsk), "beside token"},
      {"key: " + quoted(kPublic), "this is a public key"},
      {key + "server_key: []", "ed25519:"},
      {key + "server_key: " + quoted(kPrivate), "this is a private key"},
      {key + "psk: " + quoted(kPublic), "psk:"},
      {key + "path: ip", "a path with {target}"},
      {key + "path: \"/{target}\"", "a path with {target}"},
  };
  for (const auto& [lines, told] : cases)
    EXPECT_THAT(client_fault(lines), HasSubstr(told)) << lines;
}

TEST(Authorities, AreNamesWithPorts) {
  const auto loaded = parse_server_config(
      "token: a-token-of-a-test\nauthority: [VPN.test, \"192.0.2.1:8443\"]\n", "s");
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->config.authority.size(), 2u);
  EXPECT_EQ(loaded->config.authority[0], (wire::Authority{.host = "vpn.test"}));
  EXPECT_EQ(loaded->config.authority[1], (wire::Authority{.host = "192.0.2.1", .port = 8443}));
  for (const char* bad : {"vpn.test", "[\"a b\"]", "[\"a:0\"]", "[\"a:99999\"]", "[[]]"}) {
    EXPECT_NE(server_fault(std::string("token: a-token-of-a-test\nauthority: ") + bad), "") << bad;
  }
}

}  // namespace
}  // namespace qdt::ops
