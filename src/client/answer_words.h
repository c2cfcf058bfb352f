#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "client/ending.h"
#include "quic/connection.h"
#include "quic/http3.h"

// What a server's answers other than a session mean, for a person. Pure.

namespace qdt::client {

/// By what a client showed who it is.
enum class Shown { kToken, kKey, kLink };

/// More than any refusal in the protocol's own words has: what is longer is a page.
inline constexpr std::size_t kMaxRefusalBytes = 256;

/// Whether a refusal is in the protocol's own words, as a QDT server gives them to those alone who
/// have shown who they are.
bool is_in_own_words(std::string_view body);

/// What the server said, what that means, what can be done.
Ending explain_refusal(const quic::Message& message, Shown shown);

/// For any web server's answer to somebody whom it does not know; a QDT server's decoy is one.
Ending not_admitted(int status, Shown shown);

/// For a connection that ended before it became a session.
Ending explain_close(const quic::CloseReason& reason, const SocketAddress& server);

/// The server cannot be asked, or not now.
Ending unreachable(std::string text);

}  // namespace qdt::client
