#include "wire/structured_field.h"

#include <algorithm>
#include <cassert>

#include "base/ascii.h"
#include "base/utf8.h"
#include "wire/base64.h"

namespace qdt::wire {
namespace {

constexpr std::int64_t kMaxInteger = 999'999'999'999'999;

bool is_printable(char letter) {
  return letter >= 0x20 && letter <= 0x7e;
}

bool is_key_letter(char letter) {
  return is_lower(letter) || is_digit(letter) || std::string_view("_-.*").contains(letter);
}

bool is_token_letter(char letter) {
  return is_alpha(letter) || is_digit(letter) ||
         std::string_view("!#$%&'*+-.^_`|~:/").contains(letter);
}

/// The algorithms of RFC 9651 section 4.2, each taking what it reads off the front.
class FieldParser {
 public:
  explicit FieldParser(std::string_view field) : rest_(field) {}

  std::optional<FieldDictionary> dictionary() {
    FieldDictionary dictionary;
    skip(" ");
    while (!rest_.empty()) {
      auto member = this->member();
      if (!member || dictionary.find(member->key) != nullptr) return std::nullopt;
      dictionary.members.push_back(std::move(*member));
      skip(" \t");
      if (rest_.empty()) return dictionary;
      if (!take(',')) return std::nullopt;
      skip(" \t");
      if (rest_.empty()) return std::nullopt;
    }
    return dictionary;
  }

  std::optional<FieldItem> only_item() {
    skip(" ");
    auto item = this->item();
    skip(" ");
    return rest_.empty() ? item : std::nullopt;
  }

 private:
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  void skip(std::string_view letters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(letters), rest_.size()));
  }
  bool take(char letter) {
    if (front() != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool is_within_budget() { return ++parts_ <= kMaxFieldParts; }
  template <typename Predicate>
  std::string_view take_while(Predicate belongs) {
    const auto end = std::ranges::find_if_not(rest_, belongs);
    const std::string_view taken(rest_.begin(), end);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::optional<FieldMember> member() {
    auto key = this->key();
    if (!key) return std::nullopt;
    FieldMember member{.key = std::move(*key), .items = {}};
    if (!take('=')) {
      member.items.push_back(FieldItem::of_boolean(true));
      return has_sound_parameters() ? std::optional(std::move(member)) : std::nullopt;
    }
    member.is_list = front() == '(';
    if (member.is_list) return inner_list(member.items) ? std::optional(member) : std::nullopt;
    auto item = this->item();
    if (!item) return std::nullopt;
    member.items.push_back(std::move(*item));
    return member;
  }

  bool inner_list(std::vector<FieldItem>& items) {
    take('(');
    for (;;) {
      skip(" ");
      if (take(')')) return has_sound_parameters();
      auto item = this->item();
      if (!item || (front() != ' ' && front() != ')')) return false;
      items.push_back(std::move(*item));
    }
  }

  std::optional<FieldItem> item() {
    auto item = bare_item();
    return item && has_sound_parameters() ? std::move(item) : std::nullopt;
  }

  bool has_sound_parameters() {
    while (take(';')) {
      skip(" ");
      if (!key()) return false;
      if (take('=') && !bare_item()) return false;
    }
    return true;
  }

  std::optional<std::string> key() {
    if (!is_within_budget() || (!is_lower(front()) && front() != '*')) return std::nullopt;
    return std::string(take_while(is_key_letter));
  }

  std::optional<FieldItem> bare_item() {
    if (!is_within_budget()) return std::nullopt;
    const char first = front();
    if (first == '-' || is_digit(first)) return number();
    if (is_alpha(first) || first == '*') return FieldItem::of_token(take_while(is_token_letter));
    switch (first) {
      case '"': return string();
      case ':': return bytes();
      case '?': return boolean();
      case '@': return date();
      case '%': return display_string();
      default: return std::nullopt;
    }
  }

  std::optional<FieldItem> number() {
    const bool is_negative = take('-');
    const std::string_view digits = take_while(is_digit);
    if (digits.empty()) return std::nullopt;
    std::string all(digits);
    const bool is_decimal = take('.');
    if (is_decimal) {
      const std::string_view fraction = take_while(is_digit);
      if (digits.size() > 12 || fraction.empty() || fraction.size() > 3) return std::nullopt;
      all += fraction;
      all.append(3 - fraction.size(), '0');
    }
    if (all.size() > 15) return std::nullopt;
    std::int64_t number = 0;
    for (const char digit : all) number = 10 * number + (digit - '0');
    return FieldItem{.type = is_decimal ? FieldType::kDecimal : FieldType::kInteger,
                     .number = is_negative ? -number : number,
                     .text = {}};
  }

  std::optional<FieldItem> string() {
    take('"');
    std::string text;
    while (!rest_.empty()) {
      if (take('"')) return FieldItem::of_string(text);
      const bool is_escaped = take('\\');
      const char letter = front();
      if (!is_printable(letter)) return std::nullopt;
      if (is_escaped && letter != '"' && letter != '\\') return std::nullopt;
      text += letter;
      rest_.remove_prefix(1);
    }
    return std::nullopt;
  }

  std::optional<FieldItem> bytes() {
    take(':');
    const std::string_view text = take_while([](char letter) { return letter != ':'; });
    if (!take(':')) return std::nullopt;
    const auto bytes = decode_base64(text);
    return bytes ? std::optional(FieldItem::of_bytes(*bytes)) : std::nullopt;
  }

  std::optional<FieldItem> boolean() {
    take('?');
    if (take('1')) return FieldItem::of_boolean(true);
    if (take('0')) return FieldItem::of_boolean(false);
    return std::nullopt;
  }

  std::optional<FieldItem> date() {
    take('@');
    auto date = number();
    if (!date || date->type != FieldType::kInteger) return std::nullopt;
    date->type = FieldType::kDate;
    return date;
  }

  std::optional<FieldItem> display_string() {
    take('%');
    if (!take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty()) {
      if (take('"')) {
        if (find_invalid_utf8(text) != text.npos) return std::nullopt;
        return FieldItem{.type = FieldType::kDisplayString, .text = std::move(text)};
      }
      const char letter = front();
      if (!is_printable(letter)) return std::nullopt;
      rest_.remove_prefix(1);
      if (letter != '%') {
        text += letter;
        continue;
      }
      if (rest_.size() < 2) return std::nullopt;
      const auto high = hex_digit(rest_[0]);
      const auto low = hex_digit(rest_[1]);
      const bool is_sound = high && low && !is_upper(rest_[0]) && !is_upper(rest_[1]);
      if (!is_sound) return std::nullopt;
      text += static_cast<char>(16 * *high + *low);
      rest_.remove_prefix(2);
    }
    return std::nullopt;
  }

  std::string_view rest_;
  std::size_t parts_ = 0;
};

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char letter : text) {
    assert(is_printable(letter));
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  out += '"';
}

void append_bytes(std::string& out, std::string_view bytes) {
  const std::string text = encode_base64(as_bytes(bytes));
  out += ':' + text + std::string((4 - text.size() % 4) % 4, '=') + ':';
}

void append_item(std::string& out, const FieldItem& item) {
  switch (item.type) {
    case FieldType::kInteger:
      assert(item.number >= -kMaxInteger && item.number <= kMaxInteger);
      out += std::to_string(item.number);
      return;
    case FieldType::kString: append_string(out, item.text); return;
    case FieldType::kToken:
      assert(!item.text.empty() && std::ranges::all_of(item.text, is_token_letter));
      out += item.text;
      return;
    case FieldType::kBytes: append_bytes(out, item.text); return;
    case FieldType::kBoolean: out += item.number != 0 ? "?1" : "?0"; return;
    case FieldType::kDecimal:
    case FieldType::kDate:
    case FieldType::kDisplayString: break;
  }
  assert(!"a type that is only read");
}

void append_list(std::string& out, const std::vector<FieldItem>& items) {
  out += '(';
  for (const FieldItem& item : items) {
    if (&item != &items.front()) out += ' ';
    append_item(out, item);
  }
  out += ')';
}

}  // namespace

const FieldMember* FieldDictionary::find(std::string_view key) const {
  const auto member = std::ranges::find(members, key, &FieldMember::key);
  return member == members.end() ? nullptr : &*member;
}

std::optional<FieldDictionary> parse_field_dictionary(std::string_view field) {
  if (field.size() > kMaxFieldBytes) return std::nullopt;
  return FieldParser(field).dictionary();
}

std::optional<FieldItem> parse_field_item(std::string_view field) {
  if (field.size() > kMaxFieldBytes) return std::nullopt;
  return FieldParser(field).only_item();
}

std::string write_field_dictionary(const FieldDictionary& dictionary) {
  std::string out;
  for (const FieldMember& member : dictionary.members) {
    assert(!member.key.empty() && std::ranges::all_of(member.key, is_key_letter));
    if (!out.empty()) out += ", ";
    out += member.key;
    if (!member.is_list && member.items.front() == FieldItem::of_boolean(true)) continue;
    out += '=';
    if (member.is_list) append_list(out, member.items);
    if (!member.is_list) append_item(out, member.items.front());
  }
  return out;
}

}  // namespace qdt::wire
