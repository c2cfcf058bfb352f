#include "server/identity_file.h"

#include "os/file.h"
#include "wire/key_text.h"

namespace qdt::server {
namespace {

constexpr const char* kHeading =
    "# Made by qdt-server: the key by which it proves itself to its clients. Keep it, and keep it "
    "secret:\n"
    "# whoever has it can play the server, and without it clients with server_key do not come "
    "in.\n";

}  // namespace

Result<wire::Ed25519Seed> load_identity(const std::string& path, const std::string& user) {
  if (auto ok = os::check_secret(path, "the server's identity key", user); !ok) return fail(ok);
  const auto text = os::read_file(path, os::kMaxTextFileBytes);
  if (!text) return fail(text);
  const auto seed = wire::parse_key_file(*text);
  if (!seed) {
    return fail(path +
                ": damaged, expected a line with ed25519-private: and a key; put a backup back, or "
                "delete it, and give clients with server_key the new one");
  }
  return *seed;
}

Result<wire::Ed25519Seed> load_or_make_identity(const std::string& path, Random& random,
                                                Logger& logger, const std::string& user) {
  if (os::file_exists(path)) return load_identity(path, user);
  const wire::Ed25519Seed seed = random.bytes<wire::kEd25519KeyBytes>();
  const auto made = os::create_private_file(path, kHeading + wire::private_key_text(seed) + "\n");
  if (!made) {
    logger.warning(made.error().message +
                   "; the server's key, which clients pin with server_key, is good until the next "
                   "restart");
    return seed;
  }
  logger.info(path + ": made, the key by which this server proves itself to its clients");
  return seed;
}

}  // namespace qdt::server
