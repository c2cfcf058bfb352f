#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/config_value.h"
#include "ops/fault.h"
#include "ops/yaml_tree.h"

namespace qdt::ops {

/// The description of one key, in errors, example files and the README.
struct KeyText {
  std::string name;     ///< `mtu`; `nat.enabled` is `enabled` below `nat`
  std::string example;  ///< in YAML; the default, unless `default_note` says otherwise
  std::string expected;
  std::string explanation;
  std::string default_note;  ///< the default in words, where `example` is not it
  bool is_required = false;
  std::vector<std::string> alternatives;  ///< keys of which one in the file is enough, too
  bool is_secret = false;                 ///< never repeated in an error
};

/// The value of a missing key, in YAML. Where that cannot be written down, an example, and the
/// default in words.
struct DefaultValue {
  DefaultValue(const char* text, const char* in_words = "") : yaml(text), words(in_words) {}
  std::string yaml;
  std::string words;
};

/// A key and where its value goes. A table of these is all that there is to know of a
/// configuration file; what one key has to do with another is checked behind it.
template <typename Config>
struct Key {
  /// `field` is a member of Config, or a function that takes the Config and the value.
  template <typename T, typename Field>
  Key(const std::string& name, const DefaultValue& default_value, Reader<T> reader, Field field,
      const std::string& explanation)
      : text{.name = name,
             .example = default_value.yaml,
             .expected = std::move(reader.expected),
             .explanation = explanation,
             .default_note = default_value.words},
        store([read = std::move(reader.read), field](
                  Config& config, const YamlNode& node) -> std::optional<Refusal> {
          auto value = read(node);
          if (!value) return value.error();
          if constexpr (std::is_member_object_pointer_v<Field>) {
            config.*field = std::move(*value);
          } else {
            field(config, std::move(*value));
          }
          return std::nullopt;
        }) {}

  KeyText text;
  /// Stores the value, or says why not.
  std::function<std::optional<Refusal>(Config&, const YamlNode&)> store;
};

/// Which keys a file has, where, and what is wrong or worth telling.
class ConfigReport {
 public:
  void add_given(const std::string& key, TextPosition position) { given_.emplace(key, position); }
  void add_fault(const std::string& key, TextPosition position, const std::string& message);
  /// A fault at the place of `key`, or at none when it is not given.
  void add_fault(const std::string& key, const std::string& message);
  void add_note(const std::string& key, const std::string& message);
  /// A fault of the file as a whole.
  void add_fault(Fault fault) { faults_.push_back(std::move(fault)); }

  bool is_given(const std::string& key) const { return given_.contains(key); }
  /// Whether `key` has a value to reason with: a good one, or its default.
  bool is_sound(const std::string& key) const { return !faulty_.contains(key); }
  bool has_faults() const { return !faults_.empty(); }
  const std::vector<Fault>& faults() const { return faults_; }
  const std::vector<Fault>& notes() const { return notes_; }
  const std::map<std::string, TextPosition>& given() const { return given_; }

 private:
  TextPosition position(const std::string& key) const;

  std::map<std::string, TextPosition> given_;
  std::set<std::string> faulty_;
  std::vector<Fault> faults_;
  std::vector<Fault> notes_;
};

/// Walks the keys of `root`. Calls `store(i, value)` for each one that is keys[i], and reports
/// values that it refuses, keys that are unknown, repeated or, though required, missing.
/// `foreign_keys` are those of the other program, `foreign_file` its file: told to who mixes them
/// up.
void read_table(const YamlNode& root, std::span<const KeyText> keys,
                std::span<const KeyText> foreign_keys, std::string_view foreign_file,
                const std::function<std::optional<Refusal>(std::size_t, const YamlNode&)>& store,
                ConfigReport& report);

/// A whole example file: `header`, then every key with its explanation; those that are not
/// required are commented out by a `#` directly before the key. `values` (in YAML, of keys that
/// belong to no group) take the place of the example's, and are not commented out.
std::string example_file(std::string_view header, std::span<const KeyText> keys,
                         const std::map<std::string, std::string>& values = {});

/// The keys as a Markdown table.
std::string markdown_table(std::span<const KeyText> keys);

template <typename Config>
std::vector<KeyText> key_texts(const std::vector<Key<Config>>& keys) {
  std::vector<KeyText> texts;
  texts.reserve(keys.size());
  for (const Key<Config>& key : keys) texts.push_back(key.text);
  return texts;
}

}  // namespace qdt::ops
