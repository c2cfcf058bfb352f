#pragma once

#include "finding.h"
#include "ops/config.h"

namespace qdt::apps {

/// Findings of --check-config beyond the configuration's own faults: the programs of `up` and
/// `down`, and the user. All of them at once; nothing is changed.
std::vector<Finding> check_client(const ops::ClientConfig& config);

}  // namespace qdt::apps
