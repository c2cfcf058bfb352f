#pragma once

#include <cstdint>
#include <string>

#include "finding.h"
#include "ops/config.h"

namespace qdt::apps {

/// Findings of --check-config beyond the configuration's own faults: files, addresses, devices, the
/// user. All of them at once; nothing is changed. `now` is in seconds since the Unix epoch.
std::vector<Finding> check_server(const std::string& config_path, const ops::ServerConfig& config,
                                  std::int64_t now);

}  // namespace qdt::apps
