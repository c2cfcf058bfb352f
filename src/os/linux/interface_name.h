#pragma once

#include <algorithm>
#include <cctype>
#include <string>

#include "base/result.h"

namespace qdt::os {

inline constexpr std::size_t kMaxInterfaceNameBytes = 15;  // IFNAMSIZ less the final zero

/// Whether it can name a network device of ours. The kernel takes more, but would have to be
/// quoted in files, rules and commands.
inline Result<void> check_interface_name(const std::string& name) {
  const bool is_plain = std::ranges::all_of(name, [](unsigned char letter) {
    return std::isalnum(letter) || letter == '_' || letter == '-' || letter == '.';
  });
  if (is_plain && !name.empty() && name.size() <= kMaxInterfaceNameBytes &&
      !name.starts_with('-') && !name.starts_with('.')) {
    return {};
  }
  return fail("\"" + name + "\" is no name for a network device: up to 15 of A-Z a-z 0-9 _ - .");
}

}  // namespace qdt::os
