#pragma once

#include "base/result.h"

namespace qdt::os {

/// The outcome of a change to the host.
enum class Change {
  kMade,
  kNotNeeded,  ///< it was so already
};

inline Result<Change> as_change(Result<Change> result) {
  return result;
}

/// For what is always made, or fails.
inline Result<Change> as_change(const Result<void>& result) {
  if (!result) return fail(result);
  return Change::kMade;
}

}  // namespace qdt::os
