#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qdt::testing {

/// A field's members, `name=value` with ", " between, from `begin` on: the field without the one of
/// that name, which it has.
inline std::string without_member(std::string field, std::string_view name, std::size_t begin = 0) {
  const std::string start = std::string(name) + '=';
  const bool is_first = field.compare(begin, start.size(), start) == 0;
  const std::size_t at = is_first ? begin : field.find(", " + start, begin) + 2;
  const std::size_t next = field.find(", ", at);
  if (next == std::string::npos) return field.substr(0, at - 2);
  return field.erase(at, next + 2 - at);
}

}  // namespace qdt::testing
