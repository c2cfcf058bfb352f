#pragma once

#include <optional>

#include "base/bytes.h"
#include "quic/http3.h"

namespace qdt::testing {

/// The fields of an encoded field section (RFC 9204 section 4.5), pseudo-header fields included;
/// nothing where it is malformed, or refers to a dynamic table.
std::optional<quic::HeaderFields> read_field_section(Bytes section);

}  // namespace qdt::testing
