#pragma once

#include <string>
#include <vector>

#include "finding.h"

namespace qdt::apps {

/// Whether the program, which root has started, can become its `user`.
void check_user(const std::string& user, std::vector<Finding>& findings);

}  // namespace qdt::apps
