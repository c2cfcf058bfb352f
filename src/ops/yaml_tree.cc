#include "ops/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "base/utf8.h"
#include "ops/text.h"

namespace qdt::ops {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
// A map of maps of lists of scalars.
constexpr int kMaxDepth = 3;
// Aliases can make a short file stand for 10^9 values.
constexpr std::size_t kMaxValues = 10'000;

TextPosition position(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// The messages of yaml-cpp that do not say what to do.
constexpr std::pair<std::string_view, std::string_view> kExplanations[] = {
    {"illegal map value",
     "\"KEY: VALUE\" is not possible here; is the indentation right, and a value that contains "
     "\": \" in quotes?"},
    {"end of map not found", "the indentation does not fit the lines above"},
    {"end of sequence not found", "the indentation does not fit the lines above"},
    {"end of map flow not found", "a \"{\" above is never closed"},
    {"end of sequence flow not found", "a \"[\" above is never closed"},
    {"illegal flow end", "there is a \"]\" or \"}\" that was never opened"},
    {"unknown token", "a value cannot begin with this character; put it in quotes"},
};

std::string explained(const std::string& message) {
  for (const auto& [said, meant] : kExplanations) {
    if (message == said) return std::string(meant);
  }
  return message;
}

Fault syntax_fault(TextPosition where, const std::string& what) {
  return {where, "not valid YAML: " + printable(what)};
}

TextPosition position_of_byte(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::ranges::count(before, '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(lines) + 1, static_cast<int>(offset - line_start) + 1};
}

// yaml-cpp blames what stands behind the tab.
std::optional<Fault> find_tab_indentation(std::string_view text) {
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    const std::size_t content = line.find_first_not_of(" \t\r");
    const std::size_t tab = line.find('\t');
    const bool is_comment = content == std::string_view::npos || line[content] == '#';
    if (!is_comment && tab < content) {
      return syntax_fault(position_of_byte(text, start + tab),
                          "indented with a tab; YAML takes spaces only");
    }
    start = end + 1;
  }
  return std::nullopt;
}

/// Notes where documents begin.
class DocumentStarts final : public YAML::EventHandler {
 public:
  std::vector<TextPosition> positions;

  void OnDocumentStart(const YAML::Mark& mark) override { positions.push_back(position(mark)); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// YAML::Load() would not mention a second document, and YAML::LoadAll() makes documents for ever of
// a comma that stands outside of all brackets.
std::optional<Fault> find_second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return {};
  return Fault{starts.positions.back(), "one YAML document is expected, and another begins here"};
}

/// Turns yaml-cpp's graph into a tree.
class Converter {
 public:
  std::expected<YamlNode, Fault> convert(const YAML::Node& from, int depth) {
    YamlNode node;
    node.position = position(from.Mark());
    if (++values_ > kMaxValues) {
      return std::unexpected(Fault{node.position, "too many values for a configuration"});
    }
    if (depth > kMaxDepth) {
      return std::unexpected(Fault{node.position, "nested too deep for a configuration"});
    }
    if (from.IsScalar()) {
      node.kind = YamlNode::Kind::kScalar;
      node.text = from.Scalar();
      return node;
    }
    if (from.IsSequence()) return convert_list(from, std::move(node), depth);
    if (from.IsMap()) return convert_map(from, std::move(node), depth);
    return node;
  }

 private:
  std::expected<YamlNode, Fault> convert_list(const YAML::Node& from, YamlNode node, int depth) {
    node.kind = YamlNode::Kind::kList;
    for (const YAML::Node& item : from) {
      auto converted = convert(item, depth + 1);
      if (!converted) return converted;
      node.items.push_back(std::move(*converted));
    }
    return node;
  }

  std::expected<YamlNode, Fault> convert_map(const YAML::Node& from, YamlNode node, int depth) {
    node.kind = YamlNode::Kind::kMap;
    for (const auto& member : from) {
      const TextPosition key_position = position(member.first.Mark());
      if (!member.first.IsScalar() || member.first.Scalar().empty()) {
        return std::unexpected(Fault{key_position, "a key has to be a word"});
      }
      auto value = convert(member.second, depth + 1);
      if (!value) return value;
      node.members.push_back({member.first.Scalar(), key_position, std::move(*value)});
    }
    return node;
  }

  std::size_t values_ = 0;
};

}  // namespace

std::expected<YamlNode, Fault> parse_yaml(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());

  if (text.size() > kMaxFileBytes) {
    return std::unexpected(Fault{{}, "larger than 1 MiB: this is no configuration"});
  }
  const std::size_t invalid = find_invalid_utf8(text);
  const std::size_t broken = std::min(invalid, text.find('\0'));
  if (broken != std::string_view::npos) {
    return std::unexpected(Fault{position_of_byte(text, broken), "not UTF-8 text"});
  }
  try {
    const std::string copy(text);
    if (auto fault = find_second_document(copy)) return std::unexpected(std::move(*fault));
    return Converter().convert(YAML::Load(copy), 0);
  } catch (const YAML::Exception& exception) {
    if (auto fault = find_tab_indentation(text)) return std::unexpected(std::move(*fault));
    return std::unexpected(syntax_fault(position(exception.mark), explained(exception.msg)));
  } catch (const std::exception& exception) {
    return std::unexpected(syntax_fault({}, exception.what()));
  }
}

}  // namespace qdt::ops
