#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace qdt::fuzz {

/// Ends the program, as a finding, where `holds` is not so.
inline void require(bool holds, std::string_view claim) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(claim.size()), claim.data());
  std::abort();
}

}  // namespace qdt::fuzz
