#include "server/client_proof.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "wire/base64.h"
#include "wire/concealed_auth.h"

namespace qdt::server {
namespace {

// The one field of either name; nothing when there is none or more than one.
std::optional<std::string_view> authorization_of(const quic::Message& request) {
  std::optional<std::string_view> value;
  for (const auto& [name, text] : request.headers) {
    if (name != "authorization" && name != "proxy-authorization") continue;
    if (value) return std::nullopt;
    value = text;
  }
  return value;
}

// The rest of `field` behind the scheme, whose letters' case does not matter (RFC 9110 section
// 11.1).
std::optional<std::string_view> rest_behind(std::string_view scheme, std::string_view field) {
  if (field.size() <= scheme.size() || field[scheme.size()] != ' ') return std::nullopt;
  if (!equal_ignoring_case(field.substr(0, scheme.size()), scheme)) return std::nullopt;
  field.remove_prefix(scheme.size());
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  return field;
}

std::optional<access::Credential> login_in(std::string_view field) {
  if (const auto secret = rest_behind("bearer", field)) {
    return access::Credential::of_secret("", *secret);
  }
  const auto encoded = rest_behind("basic", field);
  if (!encoded) return std::nullopt;
  const auto text = wire::decode_base64(*encoded);
  if (!text) return std::nullopt;
  const std::string_view pair = as_text(*text);
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos || pair.contains('\0')) return std::nullopt;
  return access::Credential::of_secret(pair.substr(0, colon), pair.substr(colon + 1));
}

}  // namespace

access::Credential shown_by(const quic::Message& request, const wire::Exporter& exporter,
                            std::span<const wire::Authority> authorities,
                            const wire::Ed25519PublicKey& own_key) {
  const auto field = authorization_of(request);
  const auto authority = wire::parse_authority(request.authority);
  auto auth = field ? wire::parse_concealed_auth(*field) : std::nullopt;
  bool is_sound = auth && authority;
  if (!auth) auth = wire::ConcealedAuth{.key_id = wire::key_id_of(own_key), .public_key = own_key};
  is_sound &= auth->key_id == wire::key_id_of(auth->public_key);

  const wire::Authority named = authority.value_or(wire::Authority{});
  wire::ConcealedExport exported;
  exporter.derive(wire::kConcealedLabel,
                  wire::concealed_context(auth->key_id, auth->public_key, named.host, named.port),
                  exported);
  const bool is_proven = wire::is_proven(*auth, exported);

  const bool is_for_us =
      authority && (authorities.empty() || std::ranges::count(authorities, *authority) > 0);
  if (!is_for_us) return {};
  if (is_sound && is_proven) return access::Credential::of_key(auth->public_key);
  auto login = field ? login_in(*field) : std::nullopt;
  return login ? std::move(*login) : access::Credential();
}

}  // namespace qdt::server
