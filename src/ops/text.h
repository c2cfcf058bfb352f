#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qdt::ops {

/// `text` as it may safely stand in one line on a terminal or in a log: control characters and
/// bytes that are not UTF-8 are written out (`\n`, `\t`, `\x1b`).
std::string printable(std::string_view text);

/// `text` in the double quotes of YAML.
std::string yaml_quoted(std::string_view text);

/// `text` broken at spaces into lines of at most `width` letters, each behind `indent`.
std::string wrapped(std::string_view text, std::string_view indent, std::size_t width);

std::string lower_case(std::string_view text);

/// In lower case, and without `-`, `_` and `.`, which people write differently.
std::string without_separators(std::string_view name);

/// The candidate that `word` was most probably meant to be: few letters added, lost, changed or
/// swapped, case and `-`, `_`, `.` not counted. Empty when none is near.
std::string_view nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace qdt::ops
