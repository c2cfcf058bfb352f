#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace qdt::quic {

/// Opens the file that the environment's SSLKEYLOGFILE names, if it does, for the secrets of all
/// TLS sessions from now on: by it, somebody reads a capture of his own connections (the format is
/// NSS's). Call it before the process gives up the right to open files, and before the second
/// thread. What the operator should be warned of: that this goes on, or that the file cannot be
/// opened.
std::optional<std::string> open_key_log();
/// The same for the file of this name.
std::string open_key_log(const std::string& path);

/// Writes a line, where the file is open. Any thread.
void write_key_log(std::string_view label, Bytes client_random, Bytes secret);

}  // namespace qdt::quic
