#include "wire/link.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <utility>

#include "base/ascii.h"
#include "base/bytes.h"
#include "wire/base64.h"
#include "wire/hkdf.h"

namespace qdt::wire {
namespace {

constexpr std::string_view kScheme = "qdt://";

std::unexpected<Error> refuse(std::string_view what) {
  return fail("not a link: " + std::string(what) +
              "; a link is qdt://HOST:PORT#NAME?s=...&e=..., copied as a whole");
}

std::string_view without_space_around(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// The two parts around the first `mark`; nothing: there is none.
std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

template <std::size_t kBytes>
std::optional<std::array<std::uint8_t, kBytes>> parse_bytes(std::string_view text) {
  auto decoded = decode_base64url(text);
  if (!decoded || decoded->size() != kBytes) return std::nullopt;
  std::array<std::uint8_t, kBytes> bytes;
  append(bytes, *decoded);
  wipe(*decoded);
  return bytes;
}

// What a link has behind its name, as far as it was read.
struct Parameters {
  std::vector<Ed25519PublicKey> server_keys;
  std::optional<TicketSecret> ticket;
  std::optional<Ed25519Seed> seed;
};

Result<void> take(std::string_view name, std::string_view value, Parameters& into) {
  if (name == "s") {
    const auto key = parse_bytes<kEd25519KeyBytes>(value);
    if (!key) return refuse("s is no key of a server");
    if (into.server_keys.size() == kMaxLinkServerKeys) return refuse("more than 4 keys in s");
    into.server_keys.push_back(*key);
  } else if (name == "e") {
    if (into.ticket) return refuse("e comes twice");
    into.ticket = parse_bytes<std::tuple_size_v<TicketSecret>>(value);
    if (!into.ticket) return refuse("e is cut short, or no ticket");
  } else if (name == "k") {
    if (into.seed) return refuse("k comes twice");
    into.seed = parse_bytes<kEd25519KeyBytes>(value);
    if (!into.seed) return refuse("k is cut short, or no key");
  }
  return {};
}

}  // namespace

bool is_link_name(std::string_view name) {
  const auto is_alphanumeric = [](char letter) { return is_alpha(letter) || is_digit(letter); };
  if (name.empty() || name.size() > kMaxLinkNameBytes || !is_alphanumeric(name[0])) return false;
  return std::ranges::all_of(name, [&](char letter) {
    return is_alphanumeric(letter) || letter == '.' || letter == '_' || letter == '-';
  });
}

Result<Link> parse_link(std::string_view text) {
  text = without_space_around(text);
  if (text.empty()) return refuse("there is nothing");
  if (text.size() > kMaxLinkBytes) return refuse("it has more than 1024 characters");
  const bool has_scheme =
      text.size() >= kScheme.size() && equal_ignoring_case(text.substr(0, kScheme.size()), kScheme);
  if (!has_scheme) return refuse("it does not begin with qdt://");
  text.remove_prefix(kScheme.size());

  const auto parts = cut(text, '#');
  if (!parts) return refuse("what follows # is missing");
  const auto authority = parse_authority(parts->first);
  if (!authority) return refuse("there is no host, or no port, before #");
  const auto fragment = cut(parts->second, '?');
  if (!fragment) return refuse("what follows ? is missing");
  if (!is_link_name(fragment->first)) {
    return refuse("the name between # and ? is not of 1 to 32 letters, digits, . _ -");
  }
  Parameters parameters;
  for (const auto part : fragment->second | std::views::split('&')) {
    const auto pair = cut(std::string_view(part), '=');
    if (!pair) return refuse("a parameter behind ? has no value");
    if (auto ok = take(pair->first, pair->second, parameters); !ok) return fail(ok);
  }
  if (parameters.server_keys.empty()) return refuse("s, the server's key, is missing");
  if (parameters.ticket.has_value() == parameters.seed.has_value()) {
    return refuse(parameters.ticket
                      ? "it has both e and k"
                      : "it has neither e nor k (in a shell, a link is put in quotes)");
  }
  Link link{.server = *authority,
            .name = std::string(fragment->first),
            .server_keys = std::move(parameters.server_keys),
            .secret = {}};
  if (parameters.ticket) {
    link.secret = *parameters.ticket;
  } else {
    link.secret = *parameters.seed;
  }
  return link;
}

std::string write_link(const Link& link) {
  std::string text = std::string(kScheme) + write_authority(link.server) + "#" + link.name + "?";
  for (const Ed25519PublicKey& key : link.server_keys) text += "s=" + encode_base64url(key) + "&";
  if (const auto* ticket = std::get_if<TicketSecret>(&link.secret)) {
    return text + "e=" + encode_base64url(*ticket);
  }
  return text + "k=" + encode_base64url(std::get<Ed25519Seed>(link.secret));
}

}  // namespace qdt::wire
