#include "wire/request_target.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/domain_name.h"
#include "base/ip_address.h"

namespace qdt::wire {
namespace {

constexpr std::string_view kTarget = "{target}";
constexpr std::string_view kProtocol = "{ipproto}";
constexpr std::string_view kEverything = "*";
// What ends a variable's value in a path.
constexpr std::string_view kDelimiters = "/?&=;,";
constexpr std::size_t kMaxPathBytes = 1024;
// A host's name has 253 bytes at most; with brackets, colon and port.
constexpr std::size_t kMaxAuthorityBytes = 262;

// Digits alone, at most `most`.
std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number <= most ? std::optional(number) : std::nullopt;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return false;
    const auto address = IpAddress::parse(host.substr(1, host.size() - 2));
    return address && address->is_v6();
  }
  if (host.contains(':')) return false;  // an IPv6 address has brackets, an IPv4-mapped one, too
  return IpAddress::parse(host) || is_domain_name(host);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(16 * *high + *low);
    i += 2;
  }
  return decoded;
}

PathScope scope_of_target(std::string_view text) {
  const auto target = percent_decode(text);
  if (!target) return PathScope::kMalformed;
  if (*target == kEverything) return PathScope::kUnlimited;
  const bool is_sound =
      IpAddress::parse(*target) || Prefix::parse(*target) || is_domain_name(*target);
  return is_sound ? PathScope::kLimited : PathScope::kMalformed;
}

PathScope scope_of_protocol(std::string_view text) {
  const auto protocol = percent_decode(text);
  if (!protocol) return PathScope::kMalformed;
  if (*protocol == kEverything) return PathScope::kUnlimited;
  const bool is_sound = protocol->size() <= 3 && parse_number(*protocol, 255);
  return is_sound ? PathScope::kLimited : PathScope::kMalformed;
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

bool every_variable_ends(std::string_view path_template) {
  for (std::size_t at = path_template.find('}'); at != path_template.npos;
       at = path_template.find('}', at + 1)) {
    const std::string_view rest = path_template.substr(at + 1);
    if (!rest.empty() && !kDelimiters.contains(rest[0])) return false;
  }
  return true;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  if (text.size() > kMaxAuthorityBytes) return std::nullopt;
  Authority authority;
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port = colon != text.npos && (bracket == text.npos || colon > bracket);
  if (has_port) {
    const auto port = parse_number(text.substr(colon + 1), 65535);
    if (!port || *port == 0) return std::nullopt;
    authority.port = static_cast<std::uint16_t>(*port);
    text = text.substr(0, colon);
  }
  if (!is_host(text)) return std::nullopt;
  authority.host = text;
  std::ranges::transform(authority.host, authority.host.begin(), to_lower);
  return authority;
}

Authority authority_of(std::string_view host, std::uint16_t port) {
  const bool needs_brackets = host.contains(':');
  return {.host = needs_brackets ? "[" + std::string(host) + "]" : std::string(host), .port = port};
}

std::string bare_host(const Authority& authority) {
  const std::string& host = authority.host;
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string write_authority(const Authority& authority) {
  if (authority.port == 443) return authority.host;
  return authority.host + ':' + std::to_string(authority.port);
}

bool is_path_template(std::string_view path_template) {
  const std::size_t targets = count_of(path_template, kTarget);
  const std::size_t braces = count_of(path_template, "{") + count_of(path_template, "}");
  return path_template.starts_with('/') && path_template.size() <= kMaxPathBytes && targets <= 1 &&
         targets == count_of(path_template, kProtocol) && braces == 4 * targets &&
         every_variable_ends(path_template);
}

PathScope match_path(std::string_view path, std::string_view path_template) {
  if (path.size() > kMaxPathBytes) return PathScope::kElsewhere;
  PathScope scope = PathScope::kUnlimited;
  while (!path_template.empty()) {
    const bool is_target = path_template.starts_with(kTarget);
    const bool is_variable = is_target || path_template.starts_with(kProtocol);
    if (!is_variable) {
      if (!path.starts_with(path_template[0])) return PathScope::kElsewhere;
      path.remove_prefix(1);
      path_template.remove_prefix(1);
      continue;
    }
    path_template.remove_prefix(is_target ? kTarget.size() : kProtocol.size());
    const std::string_view value = path.substr(0, path.find_first_of(kDelimiters));
    path.remove_prefix(value.size());
    const PathScope its_scope = is_target ? scope_of_target(value) : scope_of_protocol(value);
    scope = std::max(scope, its_scope);
  }
  return path.empty() ? scope : PathScope::kElsewhere;
}

std::string expand_path(std::string_view path_template) {
  std::string path(path_template);
  for (const std::string_view variable : {kTarget, kProtocol}) {
    const std::size_t at = path.find(variable);
    if (at != std::string::npos) path.replace(at, variable.size(), kEverything);
  }
  return path;
}

}  // namespace qdt::wire
