#pragma once

#include <string>

#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "wire/ed25519.h"

namespace qdt::server {

/// Reads the server's identity key from the file `path`. An error when the file is missing or
/// damaged, or when others than `user` may have read it or may write it.
Result<wire::Ed25519Seed> load_identity(const std::string& path, const std::string& user = "");

/// The server's identity key (docs/protocol.md section 6), kept in the file `path` (0600), apart
/// from the certificate and its key. A file that is missing is made, and that is logged; where it
/// cannot be, the key is good until the next restart. One that is damaged, or that others than
/// `user` may have read or may write, is an error: clients have pinned its key, so nobody but the
/// operator replaces it.
Result<wire::Ed25519Seed> load_or_make_identity(const std::string& path, Random& random,
                                                Logger& logger, const std::string& user = "");

}  // namespace qdt::server
