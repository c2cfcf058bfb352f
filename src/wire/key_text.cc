#include "wire/key_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "wire/base64.h"
#include "wire/hkdf.h"

namespace qdt::wire {
namespace {

using Key = std::array<std::uint8_t, 32>;

constexpr std::string_view kPublic = "ed25519:";
constexpr std::string_view kPrivate = "ed25519-private:";
constexpr std::string_view kPsk = "psk:";

std::optional<Key> parse(std::string_view kind, std::string_view text) {
  if (!text.starts_with(kind)) return std::nullopt;
  auto bytes = decode_base64(text.substr(kind.size()));
  if (!bytes) return std::nullopt;
  Key key{};
  const bool has_length = bytes->size() == key.size();
  if (has_length) append(key, *bytes);
  wipe(*bytes);
  return has_length ? std::optional(key) : std::nullopt;
}

std::string text_of(std::string_view kind, const Key& key) {
  return std::string(kind) + encode_base64(key);
}

}  // namespace

std::optional<Ed25519PublicKey> parse_public_key(std::string_view text) {
  return parse(kPublic, text);
}

std::string public_key_text(const Ed25519PublicKey& key) {
  return text_of(kPublic, key);
}

std::optional<Ed25519Seed> parse_private_key(std::string_view text) {
  return parse(kPrivate, text);
}

std::string private_key_text(const Ed25519Seed& seed) {
  return text_of(kPrivate, seed);
}

std::optional<Ed25519Seed> parse_key_file(std::string_view text) {
  std::optional<Ed25519Seed> seed;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (seed) return std::nullopt;
    seed = parse_private_key(line);
    if (!seed) return std::nullopt;
  }
  return seed;
}

std::optional<PresharedKey> parse_psk(std::string_view text) {
  return parse(kPsk, text);
}

std::string psk_text(const PresharedKey& psk) {
  return text_of(kPsk, psk);
}

}  // namespace qdt::wire
