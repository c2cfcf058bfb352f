#include "base/peer_text.h"

#include <algorithm>

namespace qdt {
namespace {

// Not those of the locale.
bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

bool is_of_name(char letter) {
  const bool is_digit = letter >= '0' && letter <= '9';
  return is_letter(letter) || is_digit || letter == '.' || letter == '_' || letter == '-';
}

bool is_of_words(char letter) {
  return is_letter(letter) || letter == ' ';
}

std::string in_quotes(std::string_view text, std::size_t max_bytes) {
  std::string quoted(text.substr(0, max_bytes));
  std::ranges::replace_if(
      quoted,
      [](char letter) { return letter < 0x20 || letter > 0x7e || letter == '"' || letter == '\\'; },
      '?');
  return '"' + quoted + '"';
}

}  // namespace

std::string quote_peer(std::string_view text, std::size_t max_bytes) {
  const bool is_plain = text.size() <= max_bytes && std::ranges::all_of(text, is_of_words) &&
                        !text.starts_with(' ') && !text.ends_with(' ');
  return is_plain ? std::string(text) : in_quotes(text, max_bytes);
}

std::string quote_peer_name(std::string_view name, std::size_t max_bytes) {
  const bool is_plain = name.size() <= max_bytes && std::ranges::all_of(name, is_of_name);
  return is_plain ? std::string(name) : in_quotes(name, max_bytes);
}

}  // namespace qdt
