#include "ops/config_table.h"

#include <algorithm>

#include "base/words.h"
#include "ops/text.h"

namespace qdt::ops {
namespace {

constexpr std::size_t kCommentWidth = 96;

// "a", or "a or b".
std::string words_of(const std::vector<std::string>& names) {
  std::string words;
  for (const std::string& name : names) words += (words.empty() ? "" : " or ") + name;
  return words;
}

std::string required_text(const KeyText& key) {
  return key.alternatives.empty() ? "required" : "required, or " + words_of(key.alternatives);
}

// `nat` of `nat.enabled`; empty for a key at the top.
std::string group_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(0, dot);
}

std::string leaf_of(const std::string& name) {
  return name.substr(name.find('.') + 1);
}

std::string joined(const std::string& group, const std::string& leaf) {
  return group.empty() ? leaf : group + "." + leaf;
}

/// One walk through one file.
class TableReader {
 public:
  TableReader(std::span<const KeyText> keys, std::span<const KeyText> foreign_keys,
              std::string_view foreign_file,
              const std::function<std::optional<Refusal>(std::size_t, const YamlNode&)>& store,
              ConfigReport& report)
      : keys_(keys),
        foreign_keys_(foreign_keys),
        foreign_file_(foreign_file),
        store_(store),
        report_(report) {}

  void read_level(const YamlNode& map, const std::string& group) {
    std::map<std::string, TextPosition> seen;
    for (const YamlMember& member : map.members) {
      const std::string name = joined(group, member.key);
      const auto [first, is_new] = seen.emplace(member.key, member.position);
      if (!is_new) {
        report_.add_fault(
            name, member.position,
            "given again; line " + std::to_string(first->second.line) + " has it already");
        continue;
      }
      read_member(member, group, name);
    }
  }

  void report_missing() {
    for (const KeyText& key : keys_) {
      if (!key.is_required || report_.is_given(key.name)) continue;
      const auto is_given = [&](const std::string& name) { return report_.is_given(name); };
      if (std::ranges::any_of(key.alternatives, is_given)) continue;
      std::string expected = key.expected;
      if (!key.alternatives.empty()) expected += ", or " + words_of(key.alternatives) + " instead";
      report_.add_fault(key.name, "missing, expected " + expected);
    }
  }

 private:
  void read_member(const YamlMember& member, const std::string& group, const std::string& name) {
    const bool is_dotted = group.empty() && member.key.find('.') != std::string::npos;
    const auto key = std::ranges::find(keys_, name, &KeyText::name);
    if (key != keys_.end() && !is_dotted) {
      read_value(static_cast<std::size_t>(key - keys_.begin()), member);
    } else if (group.empty() && !leaves(member.key).empty()) {
      read_group(member);
    } else {
      report_.add_fault(name, member.position, unknown(group, member.key));
    }
  }

  void read_value(std::size_t index, const YamlMember& member) {
    const KeyText& key = keys_[index];
    const bool is_empty = member.value.kind == YamlNode::Kind::kNothing;
    const TextPosition place = is_empty ? member.position : member.value.position;
    report_.add_given(key.name, place);
    const auto refusal = store_(index, member.value);
    if (!refusal) return;

    const YamlNode& culprit = refusal->culprit ? *refusal->culprit : member.value;
    const bool is_hidden = key.is_secret && culprit.kind == YamlNode::Kind::kScalar;
    std::string message = "found " + (is_hidden ? "something else" : describe(culprit)) +
                          ", expected " + key.expected;
    if (!refusal->hint.empty()) message += " (" + refusal->hint + ")";
    report_.add_fault(key.name, refusal->culprit ? culprit.position : place, message);
  }

  void read_group(const YamlMember& member) {
    if (member.value.kind == YamlNode::Kind::kMap) {
      read_level(member.value, member.key);
      return;
    }
    const bool is_empty = member.value.kind == YamlNode::Kind::kNothing;
    report_.add_fault(member.key, is_empty ? member.position : member.value.position,
                      "found " + describe(member.value) +
                          ", expected keys below it: " + list_in_words(leaves(member.key)));
  }

  // The keys of a group, or, for the empty group, of the top, groups among them.
  std::vector<std::string> leaves(const std::string& group) const {
    std::vector<std::string> names;
    for (const KeyText& key : keys_) {
      const std::string key_group = group_of(key.name);
      const std::string name = group.empty() && !key_group.empty() ? key_group : leaf_of(key.name);
      const bool is_new = std::ranges::find(names, name) == names.end();
      if ((group.empty() || key_group == group) && is_new) names.push_back(name);
    }
    return names;
  }

  // The message about a key that is not in the table.
  std::string unknown(const std::string& group, const std::string& leaf) const {
    const auto named = [&](const KeyText& key) { return key.name == leaf; };
    const auto ends_so = [&](const KeyText& key) { return leaf_of(key.name) == leaf; };

    if (std::ranges::any_of(keys_, named)) {
      const std::string key_group = group_of(leaf);
      if (key_group.empty()) return "unknown key; " + leaf + " does not belong below " + group;
      return "unknown key; write " + leaf_of(leaf) + " below " + key_group;
    }
    const std::vector<std::string> siblings = leaves(group);
    const std::string_view nearest = nearest_word(leaf, siblings);
    if (!nearest.empty()) {
      return "unknown key; did you mean " + joined(group, std::string(nearest)) + "?";
    }
    if (const auto key = std::ranges::find_if(keys_, ends_so); key != keys_.end()) {
      return "unknown key; did you mean " + key->name + "?";
    }
    if (std::ranges::any_of(foreign_keys_, named)) {
      return "unknown key; it belongs into " + std::string(foreign_file_);
    }
    return "unknown key; known are " + list_in_words(siblings);
  }

  std::span<const KeyText> keys_;
  std::span<const KeyText> foreign_keys_;
  std::string_view foreign_file_;
  const std::function<std::optional<Refusal>(std::size_t, const YamlNode&)>& store_;
  ConfigReport& report_;
};

}  // namespace

void ConfigReport::add_fault(const std::string& key, TextPosition position,
                             const std::string& message) {
  faulty_.insert(key);
  faults_.push_back({position, printable(key) + ": " + message});
}

void ConfigReport::add_fault(const std::string& key, const std::string& message) {
  add_fault(key, position(key), message);
}

void ConfigReport::add_note(const std::string& key, const std::string& message) {
  notes_.push_back({position(key), key + ": " + message});
}

TextPosition ConfigReport::position(const std::string& key) const {
  const auto found = given_.find(key);
  return found == given_.end() ? TextPosition{} : found->second;
}

void read_table(const YamlNode& root, std::span<const KeyText> keys,
                std::span<const KeyText> foreign_keys, std::string_view foreign_file,
                const std::function<std::optional<Refusal>(std::size_t, const YamlNode&)>& store,
                ConfigReport& report) {
  if (root.kind == YamlNode::Kind::kScalar || root.kind == YamlNode::Kind::kList) {
    report.add_fault(
        {root.position, "found " + describe(root) + ", expected lines of the form KEY: VALUE"});
    return;
  }
  TableReader reader(keys, foreign_keys, foreign_file, store, report);
  reader.read_level(root, "");
  reader.report_missing();
}

std::string example_file(std::string_view header, std::span<const KeyText> keys,
                         const std::map<std::string, std::string>& values) {
  std::string text(header);
  for (std::size_t i = 0; i < keys.size();) {
    // A group's keys stand together in the table: first what all of them mean, then the keys.
    const std::string group = group_of(keys[i].name);
    std::size_t end = i + 1;
    while (!group.empty() && end < keys.size() && group_of(keys[end].name) == group) ++end;

    text += '\n';
    std::string lines;
    for (; i < end; ++i) {
      const KeyText& key = keys[i];
      std::string comment = group.empty() ? key.explanation : key.name + ": " + key.explanation;
      if (!key.default_note.empty()) comment += " Default: " + key.default_note + ".";
      text += wrapped(comment, "# ", kCommentWidth);
      text += wrapped("Expected: " + key.expected + ".", "# ", kCommentWidth);

      if (!group.empty()) {
        if (lines.empty()) lines = "#" + group + ":\n";
        lines += "#  " + leaf_of(key.name) + ": " + key.example + "\n";
        continue;
      }
      const auto value = values.find(key.name);
      const bool is_set = value != values.end();
      lines = is_set || key.is_required ? "" : "#";
      lines += key.name + ": " + (is_set ? value->second : key.example) + "\n";
    }
    text += lines;
  }
  return text;
}

std::string markdown_table(std::span<const KeyText> keys) {
  const auto cell = [](std::string text) {
    for (std::size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) {
      text.replace(i, 1, "\\|");
    }
    return text;
  };
  std::string table = "| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n";
  for (const KeyText& key : keys) {
    const std::string fallback = key.is_required            ? required_text(key)
                                 : key.default_note.empty() ? "`" + key.example + "`"
                                                            : key.default_note;
    table += "| `" + key.name + "` | " + cell(fallback) + " | " + cell(key.expected) + " | " +
             cell(key.explanation) + " |\n";
  }
  return table;
}

}  // namespace qdt::ops
