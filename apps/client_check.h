#pragma once

#include "finding.h"
#include "ops/config.h"

namespace qdt::apps {

/// What --check-config finds beyond the configuration's own faults: the programs of `up` and
/// `down`. All of them at once; nothing is changed.
std::vector<Finding> check_client(const ops::ClientConfig& config);

}  // namespace qdt::apps
