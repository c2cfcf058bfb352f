#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "ops/fault.h"

namespace qdt::ops {

struct YamlMember;

/// A YAML value with its place in the file: what configuration needs of YAML, and no more.
struct YamlNode {
  enum class Kind { kNothing, kScalar, kList, kMap };

  Kind kind = Kind::kNothing;
  TextPosition position;
  std::string text;                 ///< of a scalar, quotes and escapes undone
  std::vector<YamlNode> items;      ///< of a list
  std::vector<YamlMember> members;  ///< of a map, in the order of the file, repeated keys too
};

struct YamlMember {
  std::string key;
  TextPosition position;  ///< of the key
  YamlNode value;
};

/// Reads one YAML document in UTF-8, with or without a byte order mark; an empty one is kNothing.
/// Aliases are followed. What is nested deeper than a configuration goes is refused, and so is
/// what aliases make enormous. The fault says what is wrong with the syntax, and where.
std::expected<YamlNode, Fault> parse_yaml(std::string_view text);

}  // namespace qdt::ops
