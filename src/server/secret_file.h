#pragma once

#include <string>

#include "base/logger.h"
#include "base/random.h"
#include "quic/tls.h"

namespace qdt::server {

/// The server's secret, kept in the file `path` (0600) so that it outlives the process: clients
/// then learn of a restart in one round trip (stateless reset), and resume their TLS sessions. A
/// file that is missing is made; one that is damaged, or that others than `user` may have read
/// (os::check_secret()), is replaced by a new one. Never fatal: a secret that cannot be kept is
/// good until the next restart. What was done beyond reading is logged.
quic::ServerSecret load_or_make_secret(const std::string& path, Random& random, Logger& logger,
                                       const std::string& user = "");

}  // namespace qdt::server
