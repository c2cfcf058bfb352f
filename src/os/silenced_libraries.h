#pragma once

#include <cstdio>

namespace qdt::os {

/// What libraries print to C's `stderr` goes nowhere for as long as this lasts: gperftools tells
/// the sum of each profile there, which would stand as a line of no form in a log of JSON. The log
/// does not go that way. One at a time.
class SilencedLibraries {
 public:
  SilencedLibraries();
  SilencedLibraries(const SilencedLibraries&) = delete;
  SilencedLibraries& operator=(const SilencedLibraries&) = delete;
  ~SilencedLibraries();

 private:
  std::FILE* before_;
};

}  // namespace qdt::os
