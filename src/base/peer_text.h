#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qdt {

/// Text from the network, for a line that people and programs read: nothing in it can be taken for
/// the rest of that line. Plain words (letters with spaces between them) stay as they are. All else
/// is in quotation marks; what is not printable ASCII, and quotation marks and backslashes
/// themselves, is '?'. Cut after `max_bytes`.
std::string quote_peer(std::string_view text, std::size_t max_bytes = 128);

/// The same for a name, of which letters, digits, '.', '_' and '-' stay as they are, but no spaces.
std::string quote_peer_name(std::string_view name, std::size_t max_bytes = 64);

}  // namespace qdt
