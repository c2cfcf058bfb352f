#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "ops/config.h"

namespace qdt::apps {

/// Makes a server usable that has no configuration yet: writes `config_path` with a random token,
/// and beside it a self-signed certificate and its key where there are none (all 0600, nothing
/// overwritten). Returns what to tell the user: what was made, and which command prints a
/// client.yaml that fits. No secret is in it.
Result<std::string> make_first_config(const std::string& config_path, Random& random);

/// Whether the certificate and its key are missing at the paths that they have by default, beside
/// `config_path`: the start makes them.
bool lacks_own_certificate(const std::string& config_path, const ops::ServerConfig& config);

/// Makes them then; returns what to tell the user. Nothing is overwritten.
Result<std::string> make_own_certificate(const ops::ServerConfig& config);

}  // namespace qdt::apps
