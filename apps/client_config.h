#pragma once

#include <string>

#include "base/result.h"
#include "ops/config.h"
#include "ops/config_address.h"

namespace qdt::apps {

/// Where clients reach this server: `address` (HOST[:PORT]) as a command has it, or where it is
/// empty this host's public address. Fails where that is not known.
Result<ops::HostAndPort> reached_at(const ops::ServerConfig& config, const std::string& address);

/// A client.yaml for the server that `config` is of, with its token in it. `address` is HOST or
/// HOST:PORT by which clients reach it; empty: this host's public address, which is an error when
/// it has none.
Result<std::string> client_config(const ops::ServerConfig& config, const std::string& address);

/// Where clients find this host, in words for the first start: its public address, or that it has
/// none.
std::string describe_address();

}  // namespace qdt::apps
