#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ops/config.h"
#include "server/decoy.h"

namespace qdt::apps {

/// The site for visitors without the token, ready to serve.
struct DecoySite {
  std::shared_ptr<const server::Decoy> decoy;  ///< null with `decoy: off`
  std::vector<std::string> notes;              ///< worth a warning
};

/// Makes the site, and reads its files; the error says what is wrong with the value of `decoy`.
Result<DecoySite> make_decoy(const ops::DecoyConfig& config);

/// The files that make_decoy() would read, packed for a process that may not read them; empty when
/// there are none.
Result<std::string> read_decoy(const ops::DecoyConfig& config);
/// Makes the site from the result of read_decoy(), and reads nothing.
Result<DecoySite> make_decoy(const ops::DecoyConfig& config, std::string_view packed);

}  // namespace qdt::apps
