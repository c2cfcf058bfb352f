#pragma once

#include <optional>
#include <string>

#include "base/ip_address.h"
#include "base/time.h"

namespace qdt::client {

/// Why there is no session, or no session any more.
struct Ending {
  enum class Kind {
    kRefused,      ///< the server answered, and said no
    kUnreachable,  ///< the server's answer is not a QDT server's, or it cannot be asked
    kNoAnswer,     ///< nothing came back; what to make of that is the client's, not the connector's
    kOtherVersion,  ///< a packet that anybody can forge says that it speaks no QUIC version 1
    kLost,          ///< there was a session, and it ended
  };
  Kind kind = Kind::kUnreachable;
  std::string text;         ///< in words for a person
  bool is_lasting = false;  ///< trying again soon will not help: a wrong token, say
  /// How long the server asks to be left alone (HTTP's Retry-After), where it says so.
  std::optional<Duration> retry_after = std::nullopt;
};

/// For a person: `server` did not answer, and what may be the matter.
std::string explain_silence(const SocketAddress& server);

/// For a person: small packets reach `server`, but none of the size that QUIC needs.
/// `is_refused_here`: not even this host would send them.
std::string explain_narrow_path(const SocketAddress& server, bool is_refused_here);

}  // namespace qdt::client
