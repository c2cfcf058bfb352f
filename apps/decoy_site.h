#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ops/config.h"
#include "server/decoy.h"

namespace qdt::apps {

/// What strangers are shown, made ready; null with `decoy: off`.
struct DecoySite {
  std::shared_ptr<const server::Decoy> decoy;
  std::vector<std::string> notes;  ///< worth a warning
};

/// Reads what there is to read; the error says what is wrong with the value of `decoy`.
Result<DecoySite> make_decoy(const ops::DecoyConfig& config);

/// What make_decoy() would read, for a process that may not read it; empty: nothing.
Result<std::string> read_decoy(const ops::DecoyConfig& config);
/// From what read_decoy() returned.
Result<DecoySite> make_decoy(const ops::DecoyConfig& config, std::string_view packed);

}  // namespace qdt::apps
