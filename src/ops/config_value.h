#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ops/yaml_tree.h"

namespace qdt::ops {

/// Why a value was not taken.
struct Refusal {
  std::string hint;  ///< perhaps empty, when what was expected says it all
  /// The part of the value that is wrong, where it is not the whole; the tree owns it.
  const YamlNode* culprit = nullptr;
};

/// A value read from YAML.
template <typename T>
using Reading = std::expected<T, Refusal>;

/// `return refuse("the port is missing");`
inline std::unexpected<Refusal> refuse(std::string hint = {}, const YamlNode* culprit = nullptr) {
  return std::unexpected(Refusal{std::move(hint), culprit});
}

/// One kind of value: in words, behind "expected", and as a function.
template <typename T>
struct Reader {
  std::string expected;
  std::function<Reading<T>(const YamlNode&)> read;
};

/// The found value in words, behind "found": `"big"`, `nothing`, `a list`, `keys below it`.
std::string describe(const YamlNode& node);

/// The number that is the whole of `text`, in digits alone.
template <std::unsigned_integral Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline bool is_word(const YamlNode& node, std::string_view word) {
  return node.kind == YamlNode::Kind::kScalar && node.text == word;
}
/// Whether the node is `off`, or another word that YAML has for it.
inline bool is_off(const YamlNode& node) {
  return is_word(node, "off") || is_word(node, "false") || is_word(node, "no");
}

/// A reader of the text of a scalar; every other kind of node is refused without a hint.
template <typename T>
Reader<T> text_reader(std::string expected, std::function<Reading<T>(const std::string&)> read) {
  return {std::move(expected), [read = std::move(read)](const YamlNode& node) -> Reading<T> {
            if (node.kind != YamlNode::Kind::kScalar) return refuse();
            return read(node.text);
          }};
}

/// Makes the empty text, and a key without a value, mean what `T{}` means.
template <typename T>
Reader<T> or_empty(const Reader<T>& reader) {
  return {reader.expected, [read = reader.read](const YamlNode& node) -> Reading<T> {
            const bool is_empty_text = node.kind == YamlNode::Kind::kScalar && node.text.empty();
            if (is_empty_text || node.kind == YamlNode::Kind::kNothing) return T{};
            return read(node);
          }};
}

/// A reader that takes another word, too, which means that there is no value.
template <typename T>
Reader<std::optional<T>> or_nothing(std::string expected, bool (*is_nothing)(const YamlNode&),
                                    const Reader<T>& reader) {
  return {std::move(expected),
          [is_nothing, read = reader.read](const YamlNode& node) -> Reading<std::optional<T>> {
            if (is_nothing(node)) return std::nullopt;
            return read(node);
          }};
}

Reader<std::size_t> whole_number(std::size_t min, std::size_t max);
/// A number that may have decimals, at least `min`; a huge one stands for as many as can be.
Reader<double> rate(double min = 0);
Reader<bool> flag();
enum class Zero { kRefused, kAllowed };
/// `1m30s`; `zero` adds 0 to the range.
Reader<Duration> duration(Duration min, Duration max, Zero zero = Zero::kRefused);
std::string to_string(Duration duration);

/// A secret that fits an HTTP header; not a placeholder.
Reader<std::string> token();
Reader<std::string> file_path();
/// A program and its arguments, run as they are: no shell takes part. Empty: none.
Reader<std::vector<std::string>> command();
/// A name that the kernel takes for a network interface.
Reader<std::string> interface_name();
Reader<std::string> optional_interface_name();
/// A user of this host, by name (useradd(8)).
Reader<std::string> user_name();
/// Whether `text` has 1 to 64 characters, all of them printable ASCII.
bool is_short_name(std::string_view text);
/// A short name (docs/protocol-v1.md, client_id).
Reader<std::string> client_name();

/// `sha256:` and 64 hex digits, colons between bytes allowed.
Reader<std::optional<std::array<std::uint8_t, 32>>> certificate_fingerprint();

/// One of a few words, which `expected` lists.
template <typename T>
Reader<T> one_of(std::vector<std::pair<std::string, T>> words, std::string expected) {
  return {std::move(expected), [words = std::move(words)](const YamlNode& node) -> Reading<T> {
            for (const auto& [word, value] : words) {
              if (is_word(node, word)) return value;
            }
            return refuse();
          }};
}

template <typename T>
Reader<T> one_of(std::vector<std::pair<std::string, T>> words) {
  std::string expected = words.front().first;
  for (std::size_t i = 1; i < words.size(); ++i) {
    expected += (i + 1 < words.size() ? ", " : " or ") + words[i].first;
  }
  return one_of(std::move(words), std::move(expected));
}

}  // namespace qdt::ops
