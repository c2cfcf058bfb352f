#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace qdt::apps {

/// Makes a server usable that has no configuration yet: writes `config_path` with a random token,
/// and beside it a self-signed certificate and its key where there are none (all 0600, nothing
/// overwritten). Returns what to tell the user: what was made, and a client.yaml that fits.
Result<std::string> make_first_config(const std::string& config_path, Random& random);

}  // namespace qdt::apps
