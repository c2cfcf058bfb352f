#include "server/secret_file.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "os/file.h"
#include "wire/base64.h"

namespace qdt::server {
namespace {

constexpr std::string_view kHeading =
    "# Made by qdt-server: lets clients notice its restart at once. To be kept secret; may be "
    "deleted.\n";

std::string encode(const quic::ServerSecret& secret) {
  return std::string(kHeading) + wire::encode_base64(secret) + "\n";
}

std::optional<quic::ServerSecret> decode(std::string_view text) {
  if (!text.starts_with(kHeading) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(kHeading.size());
  text.remove_suffix(std::min<std::size_t>(text.size(), 1));
  const auto bytes = wire::decode_base64(text);
  quic::ServerSecret secret;
  if (!bytes || bytes->size() != secret.size()) return std::nullopt;
  std::ranges::copy(*bytes, secret.begin());
  // All zero is what a file has whose blocks were never written.
  return secret == quic::ServerSecret{} ? std::nullopt : std::optional(secret);
}

}  // namespace

quic::ServerSecret load_or_make_secret(const std::string& path, Random& random, Logger& logger,
                                       const std::string& user) {
  const bool is_there = os::file_exists(path);
  if (is_there) {
    const auto text = os::read_file(path, os::kMaxTextFileBytes);
    const auto secret = text ? decode(*text) : std::nullopt;
    const bool is_private = os::check_secret(path, "a secret", user).has_value();
    if (secret && is_private) return *secret;
    logger.warning(!text ? text.error().message
                   : !is_private
                       ? path + ": others may read this secret; it is replaced by a new one"
                       : path + ": damaged; it is replaced by a new one");
  }

  const quic::ServerSecret secret = random.bytes<32>();
  if (const auto ok = os::replace_private_file(path, encode(secret)); !ok) {
    logger.warning(ok.error().message +
                   "; the server works without this file, but after its next restart clients "
                   "notice later that it is a new one");
  } else if (!is_there) {
    logger.info(path + ": made, a secret by which clients will notice a restart at once");
  }
  return secret;
}

}  // namespace qdt::server
