#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// The headers of a program or library file (Microsoft's "PE Format").
struct ProgramImage {
  std::uint16_t machine = 0;   ///< IMAGE_FILE_MACHINE_AMD64, say
  bool has_signature = false;  ///< there is a table of certificates
};

/// Nothing of the bytes is believed; the error says what is wrong with them.
Result<ProgramImage> parse_program_image(Bytes file);

/// `x86-64`, `ARM64`; of an unknown one its number.
std::string name_of_machine(std::uint16_t machine);

/// Whether Windows trusts the Authenticode signature of `path`; the error says why not. Whether it
/// has been revoked is not asked; a missing certificate may be fetched over the network.
Result<void> verify_signature(const std::string& path);

}  // namespace qdt::os
