#pragma once

#include <string>

#include "base/result.h"
#include "wire/ed25519.h"

namespace qdt::apps {

/// Reads this device's key from the file `path`. An error when others may read the file, or when
/// it holds no key; `remedy` then says what to do.
Result<wire::Ed25519Seed> read_key_file(const std::string& path, const std::string& remedy);

}  // namespace qdt::apps
