#include "ops/config_identity.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "ops/text.h"
#include "wire/key_text.h"

namespace qdt::ops {
namespace {

constexpr std::size_t kMaxServerKeys = 8;
constexpr std::size_t kMaxDevices = 4096;
constexpr std::size_t kMaxAuthorities = 64;
constexpr std::string_view kKeyHint = "a public key is ed25519: and 43 letters of base64";

Reading<wire::Ed25519PublicKey> read_public_key(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return refuse(std::string(kKeyHint), &node);
  const auto key = wire::parse_public_key(node.text);
  if (!key && wire::parse_private_key(node.text)) {
    return refuse("this is a private key, which stays where it was made; expected its public half",
                  &node);
  }
  if (!key) return refuse(std::string(kKeyHint), &node);
  return *key;
}

bool is_login(const std::string& text) {
  return is_short_name(text) && !text.contains(':');
}

// Stores one member, or says what is wrong with it.
std::optional<std::string> store(const std::string& key, const YamlNode& value,
                                 DeviceConfig& device) {
  const std::string& text = value.text;
  if (key == "name") {
    if (!is_short_name(text)) return "a name has 1 to 64 printable ASCII characters";
    device.name = text;
  } else if (key == "key") {
    const auto read = read_public_key(value);
    if (!read) return read.error().hint;
    device.key = *read;
  } else if (key == "psk") {
    device.psk = wire::parse_psk(text);
    if (!device.psk)
      return "a psk is psk: and 43 letters of base64, as qdt-client key --psk prints";
  } else if (key == "login") {
    if (!is_login(text)) return "a login has 1 to 64 printable ASCII characters without \":\"";
    device.login = text;
  } else if (key == "secret") {
    const auto digest = certificate_fingerprint().read(value);
    if (!digest || !*digest) return "a secret is given by its digest, sha256: and 64 hex digits";
    device.secret_digest = **digest;
  } else {
    return "unknown key " + printable(key.substr(0, 32)) +
           "; known are name, key, psk, login, secret";
  }
  return std::nullopt;
}

// What is missing in a device whose members are sound.
std::optional<std::string> lack_of(const DeviceConfig& device) {
  if (device.name.empty()) return "a device has a name";
  if (!device.key && !device.secret_digest) return "a device has a key, or a secret";
  if (!device.login.empty() && !device.secret_digest) return "a login has a secret";
  if (device.psk && !device.key) return "a psk is for a device with a key";
  return std::nullopt;
}

Reading<DeviceConfig> read_device(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kMap) return refuse("a device is {name: ..., key: ...}", &node);
  DeviceConfig device;
  std::set<std::string_view> keys;
  for (const YamlMember& member : node.members) {
    if (!keys.insert(member.key).second) {
      return refuse(printable(member.key.substr(0, 32)) + " comes twice", &member.value);
    }
    if (member.value.kind != YamlNode::Kind::kScalar) {
      return refuse(printable(member.key.substr(0, 32)) + " has one value", &member.value);
    }
    if (const auto fault = store(member.key, member.value, device)) {
      return refuse(*fault, &member.value);
    }
  }
  if (const auto lack = lack_of(device)) return refuse(*lack, &node);
  return device;
}

// Another device with the same name, key or login.
std::optional<std::string> clash_of(const DeviceConfig& device,
                                    const std::vector<DeviceConfig>& others) {
  for (const DeviceConfig& other : others) {
    if (device.name == other.name) return "two devices are named " + device.name;
    if (device.key && device.key == other.key) {
      return device.name + " has the key of " + other.name;
    }
    if (device.secret_digest && device.secret_digest == other.secret_digest &&
        device.login == other.login) {
      return device.name + " has the login and secret of " + other.name;
    }
  }
  return std::nullopt;
}

}  // namespace

Reader<std::optional<wire::Ed25519Seed>> private_key() {
  return text_reader<std::optional<wire::Ed25519Seed>>(
      "ed25519-private: and 43 letters of base64, as qdt-client key prints",
      [](const std::string& text) -> Reading<std::optional<wire::Ed25519Seed>> {
        const auto key = wire::parse_private_key(text);
        if (!key && wire::parse_public_key(text)) return refuse("this is a public key");
        if (!key) return refuse();
        return key;
      });
}

Reader<std::vector<wire::Ed25519PublicKey>> public_keys() {
  return {"ed25519: and 43 letters of base64, or a list of up to 8 of these",
          [](const YamlNode& node) -> Reading<std::vector<wire::Ed25519PublicKey>> {
            std::vector<wire::Ed25519PublicKey> keys;
            const bool is_list = node.kind == YamlNode::Kind::kList;
            const std::span<const YamlNode> nodes =
                is_list ? std::span(node.items) : std::span(&node, 1);
            if (nodes.empty() || nodes.size() > kMaxServerKeys) return refuse();
            for (const YamlNode& one : nodes) {
              const auto key = read_public_key(one);
              if (!key) return std::unexpected(key.error());
              keys.push_back(*key);
            }
            return keys;
          }};
}

Reader<std::optional<wire::PresharedKey>> preshared_key() {
  return text_reader<std::optional<wire::PresharedKey>>(
      "psk: and 43 letters of base64, as qdt-client key --psk prints",
      [](const std::string& text) -> Reading<std::optional<wire::PresharedKey>> {
        const auto psk = wire::parse_psk(text);
        if (!psk) return refuse();
        return psk;
      });
}

Reader<std::vector<DeviceConfig>> devices() {
  return {"a list of devices such as [{name: laptop, key: \"ed25519:...\"}], or []",
          [](const YamlNode& node) -> Reading<std::vector<DeviceConfig>> {
            if (node.kind != YamlNode::Kind::kList) return refuse();
            if (node.items.size() > kMaxDevices) return refuse("at most 4096 devices");
            std::vector<DeviceConfig> devices;
            for (const YamlNode& item : node.items) {
              auto device = read_device(item);
              if (!device) return std::unexpected(device.error());
              if (const auto clash = clash_of(*device, devices)) return refuse(*clash, &item);
              devices.push_back(std::move(*device));
            }
            return devices;
          }};
}

Reader<std::vector<wire::Authority>> authorities() {
  return {
      "a list of at most 64 names or addresses with ports, such as [vpn.example.com, "
      "\"192.0.2.1:8443\"], or []",
      [](const YamlNode& node) -> Reading<std::vector<wire::Authority>> {
        if (node.kind != YamlNode::Kind::kList) return refuse();
        if (node.items.size() > kMaxAuthorities) return refuse();
        std::vector<wire::Authority> authorities;
        for (const YamlNode& item : node.items) {
          const auto authority = item.kind == YamlNode::Kind::kScalar
                                     ? wire::parse_authority(item.text)
                                     : std::nullopt;
          if (!authority) return refuse("", &item);
          authorities.push_back(*authority);
        }
        return authorities;
      }};
}

Reader<std::string> path_template() {
  return text_reader<std::string>(
      "a path with {target} and {ipproto} in it, or with neither, such as /ip",
      [](const std::string& text) -> Reading<std::string> {
        if (!wire::is_path_template(text)) return refuse();
        return text;
      });
}

}  // namespace qdt::ops
