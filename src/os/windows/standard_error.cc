#include "os/standard_error.h"

#include <atomic>
#include <cstdio>

#include "os/windows/standard_error_target.h"

namespace qdt::os {
namespace {

std::atomic<StandardErrorTarget> the_target = StandardErrorTarget::kOther;

}  // namespace

void set_standard_error_target(StandardErrorTarget target) {
  the_target = target;
}

// The event log takes lines as the journal does.
bool is_standard_error_the_journal() {
  return the_target == StandardErrorTarget::kEventLog;
}

// Not looked into: the console, or the event log's pipe, which is always read.
StandardError::StandardError() = default;
StandardError::~StandardError() = default;

void StandardError::write(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

std::uint64_t StandardError::take_lost() {
  return 0;
}

}  // namespace qdt::os
