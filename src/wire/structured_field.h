#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace qdt::wire {

/// Bytes that a structured field may have, all lines of it joined.
inline constexpr std::size_t kMaxFieldBytes = 4096;
/// Keys, parameters and items that it may have, together.
inline constexpr std::size_t kMaxFieldParts = 256;

enum class FieldType : std::uint8_t {
  kInteger,
  kDecimal,
  kString,
  kToken,
  kBytes,
  kBoolean,
  kDate,
  kDisplayString,
};

/// A bare item of a structured field (RFC 9651 section 3.3).
struct FieldItem {
  FieldType type = FieldType::kInteger;
  /// An integer; a decimal in thousandths; a date in seconds since 1970; a boolean as 0 or 1.
  std::int64_t number = 0;
  /// A string, a token, the bytes of a byte sequence, or a display string in UTF-8.
  std::string text;

  static FieldItem of_integer(std::int64_t number) {
    return {.type = FieldType::kInteger, .number = number, .text = {}};
  }
  static FieldItem of_string(std::string_view text) {
    return {.type = FieldType::kString, .text = std::string(text)};
  }
  static FieldItem of_token(std::string_view text) {
    return {.type = FieldType::kToken, .text = std::string(text)};
  }
  static FieldItem of_bytes(Bytes bytes) {
    return {.type = FieldType::kBytes, .text = std::string(as_text(bytes))};
  }
  static FieldItem of_boolean(bool is_true) {
    return {.type = FieldType::kBoolean, .number = is_true ? 1 : 0, .text = {}};
  }
  bool operator==(const FieldItem&) const = default;
};

/// A member of a dictionary: an item, or an inner list of items.
struct FieldMember {
  std::string key;
  bool is_list = false;
  std::vector<FieldItem> items;  ///< exactly one unless `is_list`

  bool operator==(const FieldMember&) const = default;
};

/// A dictionary (RFC 9651 section 3.2).
struct FieldDictionary {
  std::vector<FieldMember> members;

  const FieldMember* find(std::string_view key) const;
  bool operator==(const FieldDictionary&) const = default;
};

/// Reads a field whose type is dictionary, or item (RFC 9651 section 4.2); nothing when anything of
/// it is wrong. Parameters must be sound, and are ignored. Stricter than the RFC: the bounds above
/// hold, and no key comes twice.
std::optional<FieldDictionary> parse_field_dictionary(std::string_view field);
std::optional<FieldItem> parse_field_item(std::string_view field);

/// Writes a dictionary of integers, strings, tokens, byte sequences and booleans with values that
/// have a form (RFC 9651 section 4.1): keys and tokens of their letters, printable strings,
/// integers of 15 digits.
std::string write_field_dictionary(const FieldDictionary& dictionary);

}  // namespace qdt::wire
