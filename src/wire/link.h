#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "wire/ed25519.h"
#include "wire/request_target.h"
#include "wire/token_keys.h"

namespace qdt::wire {

inline constexpr std::size_t kMaxLinkBytes = 1024;
inline constexpr std::size_t kMaxLinkNameBytes = 32;
inline constexpr std::size_t kMaxLinkServerKeys = 4;

/// What a person hands to another who is to connect (docs/protocol.md section 12).
struct Link {
  Authority server;
  std::string name;                           ///< is_link_name()
  std::vector<Ed25519PublicKey> server_keys;  ///< 1 to kMaxLinkServerKeys
  /// A ticket, with which a device enrols its own key; or, in a static link, the device's key.
  std::variant<TicketSecret, Ed25519Seed> secret;

  bool operator==(const Link&) const = default;
};

/// Whether a client may call a connection so: it is a file's name, too, and a service's.
bool is_link_name(std::string_view name);

/// Reads a link; white space around it is ignored. An error says what is wrong, and repeats
/// nothing of the link but the name of a part.
Result<Link> parse_link(std::string_view text);
std::string write_link(const Link& link);

}  // namespace qdt::wire
