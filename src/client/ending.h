#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace qdt::client {

/// Why there is no session, or no session any more.
struct Ending {
  enum class Kind {
    kRefused,      ///< the server answered, and said no
    kUnreachable,  ///< the server's answer is not a QDT server's, or it cannot be asked
    kNoAnswer,     ///< nothing came back; what to make of that is the client's, not the connector's
    kLost,         ///< there was a session, and it ended
  };
  Kind kind = Kind::kUnreachable;
  std::string text;         ///< in words for a person
  bool is_lasting = false;  ///< trying again soon will not help: a wrong token, say
  /// How long the server asks to be left alone (HTTP's Retry-After), where it says so.
  std::optional<Duration> retry_after = std::nullopt;
};

}  // namespace qdt::client
