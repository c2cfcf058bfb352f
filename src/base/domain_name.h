#pragma once

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace qdt {

/// Whether `name` is a domain's name as programs look it up (RFC 1035 section 2.3.4, RFC 5891 for
/// other alphabets): labels of 1 to 63 letters, digits, hyphens and underscores between dots, 253
/// bytes in all, without a dot at the end; not an IPv4 address.
constexpr bool is_domain_name(std::string_view name) {
  constexpr std::size_t kMaxNameBytes = 253;
  constexpr std::size_t kMaxLabelBytes = 63;
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  bool is_number = false;
  for (std::string_view rest = name;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabelBytes) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    const auto is_allowed = [](char letter) {
      return is_digit(letter) || is_alpha(letter) || letter == '-' || letter == '_';
    };
    if (!std::ranges::all_of(label, is_allowed)) return false;
    is_number = std::ranges::all_of(label, is_digit);
    if (dot == rest.npos) return !is_number;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace qdt
