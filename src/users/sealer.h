#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "wire/aead.h"

namespace qdt::users {

/// Seals the secrets that a store has to know again (tokens, PSKs) under a key in a file of its
/// own: who gets a copy of the store alone, such as a backup, has none of them. ChaCha20-Poly1305
/// with random nonces. One thread.
class Sealer {
 public:
  /// `path` need not exist yet: the first seal() makes it, 0600. The random numbers outlive it.
  Sealer(std::string path, Random& random) : path_(std::move(path)), random_(random) {}

  /// The secret, sealed for this place alone, in base64. Fails where the key file can neither be
  /// read nor made.
  Result<std::string> seal(std::string_view place, std::string_view secret);
  /// The secret again; nothing: it was not sealed by this key, for this place.
  std::optional<std::string> open(std::string_view place, std::string_view sealed);

 private:
  Result<wire::Aead*> aead(bool may_make);

  std::string path_;
  Random& random_;
  std::optional<wire::Aead> aead_;
};

}  // namespace qdt::users
