#pragma once

#include "ops/config.h"
#include "ops/metrics.h"
#include "ops/monitoring.h"
#include "server/server.h"

namespace qdt::apps {

/// The part of the configuration that each component gets.
server::Server::Options server_options(const ops::ServerConfig& config);
ops::MonitoringOptions monitoring_options(const ops::ServerConfig& config);
/// `certificate_expiry` outlives the source.
ops::MetricsSource metrics_source(const ops::ServerConfig& config, const server::Server& server,
                                  const std::atomic<std::int64_t>& certificate_expiry);

}  // namespace qdt::apps
