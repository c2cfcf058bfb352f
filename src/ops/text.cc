#include "ops/text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/utf8.h"

namespace qdt::ops {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

bool is_control(std::string_view character) {
  const std::uint8_t first = byte_at(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  // U+0080 to U+009F, which some terminals obey as they do ESC sequences.
  return first == 0xc2 && byte_at(character, 1) < 0xa0;
}

void append_escaped(std::string& out, char letter) {
  switch (letter) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\x";
  append_hex(out, as_bytes(std::string_view(&letter, 1)));
}

// Optimal string alignment: insertions, deletions, changes and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(character)) {
      for (const char letter : character) append_escaped(out, letter);
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<std::uint8_t>(letter);
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte == 0x7f) {
      append_escaped(out, letter);
    } else {
      out += letter;
    }
  }
  return out + "\"";
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    std::string_view line = text;
    if (text.size() > width) {
      const std::size_t space = text.rfind(' ', width);
      line = text.substr(0, space == std::string_view::npos ? text.find(' ') : space);
    }
    out.append(indent).append(line) += '\n';
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return out;
}

std::string without_separators(std::string_view name) {
  std::string out = lower_case(name);
  std::erase_if(out, [](char letter) { return letter == '-' || letter == '_' || letter == '.'; });
  return out;
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kMaxWordBytes = 64;
  if (word.size() > kMaxWordBytes) return {};

  const std::string wanted = without_separators(word);
  std::string_view nearest;
  std::size_t nearest_distance = kMaxWordBytes;
  for (const std::string& candidate : candidates) {
    const std::string known = without_separators(candidate);
    const std::size_t distance = edit_distance(wanted, known);
    // A third of the letters wrong, and it is another word.
    const bool is_near = distance * 3 <= std::max(wanted.size(), known.size());
    if (is_near && distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return nearest;
}

}  // namespace qdt::ops
