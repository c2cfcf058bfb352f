#pragma once

#include "ops/config.h"
#include "ops/metrics.h"
#include "ops/monitoring.h"
#include "os/sandbox.h"
#include "server/server.h"

namespace qdt::apps {

/// Returns version 2's part of them; `identity` is the server's identity key.
server::Reception::Options::Version2 version2_options(const ops::ServerConfig& config,
                                                      const wire::Ed25519Seed& identity);

/// The part of the configuration that each component gets.
server::Server::Options server_options(const ops::ServerConfig& config);
ops::MonitoringOptions monitoring_options(const ops::ServerConfig& config);
/// `certificate_expiry` outlives the source.
ops::MetricsSource metrics_source(const ops::ServerConfig& config, const server::Server& server,
                                  const std::atomic<std::int64_t>& certificate_expiry);

/// The rights that the server keeps once it is set up.
os::SandboxOptions sandbox_options(const ops::ServerConfig& config, const os::ProcessUser& user);

}  // namespace qdt::apps
