#pragma once

#include <string>

#include "base/result.h"

namespace qdt::os {

/// A host name in UTF-8 as DNS and certificates have it: each label with letters outside ASCII
/// becomes an A-label, `xn--...` (IDNA2008, RFC 5891, with the mappings of UTS 46: capitals, wide
/// forms, other full stops). The error names the reason alone. Lengths and the letters of ASCII are
/// left to the caller.
Result<std::string> to_ascii_name(const std::string& name);

}  // namespace qdt::os
