#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// The files that a thread and its descendants may still open, and where they may connect to.
struct LandlockRules {
  std::vector<std::string> readable;  ///< files, or folders with all that is in them
  std::vector<std::string> writable;  ///< folders, for files alone
  std::optional<std::vector<std::uint16_t>> tcp_ports;  ///< none: any
};

/// Restricts the calling thread by Landlock, as far as this kernel knows it. What is open stays
/// open. A path that is not there allows nothing. Needs no_new_privs. Returns what could not be
/// restricted, in words; empty: nothing.
Result<std::string> restrict_files(const LandlockRules& rules);

/// Has the calling thread and its descendants make, change and remove files in these folders alone;
/// what they may read and run stays as it is. Otherwise as restrict_files().
Result<std::string> restrict_writing(const std::vector<std::string>& folders);

}  // namespace qdt::os
