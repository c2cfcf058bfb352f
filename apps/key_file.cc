#include "key_file.h"

#include "os/file.h"
#include "wire/key_text.h"

namespace qdt::apps {

Result<wire::Ed25519Seed> read_key_file(const std::string& path, const std::string& remedy) {
  const auto text = os::read_file(path, os::kMaxTextFileBytes);
  if (!text) return fail(text);
  if (const auto ok = os::check_secret(path, "this device's key"); !ok) return fail(ok);
  const auto seed = wire::parse_key_file(*text);
  if (!seed) {
    return fail(path + ": expected a line with ed25519-private: and a key; " + remedy);
  }
  return *seed;
}

}  // namespace qdt::apps
