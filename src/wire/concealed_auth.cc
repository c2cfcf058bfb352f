#include "wire/concealed_auth.h"

#include <algorithm>
#include <cassert>
#include <span>

#include "base/ascii.h"
#include "wire/base64.h"
#include "wire/seal.h"
#include "wire/signed_content.h"
#include "wire/varint.h"

namespace qdt::wire {
namespace {

constexpr std::string_view kScheme = "Concealed";
constexpr std::string_view kContextString = "HTTP Concealed Authentication";
// Ed25519 among TLS' signature schemes (RFC 8446 section 4.2.3).
constexpr std::uint16_t kEd25519Scheme = 0x0807;
constexpr std::string_view kEd25519SchemeText = "2055";
constexpr std::size_t kExportedSignedBytes = 32;

bool is_token_letter(char letter) {
  return is_alpha(letter) || is_digit(letter) ||
         std::string_view("!#$%&'*+-.^_`|~").contains(letter);
}

/// One auth-param (RFC 9110 section 11.2).
struct Parameter {
  std::string_view name;
  std::string_view value;
  bool is_quoted;  // `value` is empty then: none that we use is quoted
};

class ParameterParser {
 public:
  explicit ParameterParser(std::string_view text) : rest_(text) {}

  bool is_at_end() const { return rest_.empty(); }

  // With the comma behind it, where another has to follow.
  std::optional<Parameter> take_parameter() {
    Parameter parameter{.name = take_token(), .value = {}, .is_quoted = false};
    skip_space();
    if (parameter.name.empty() || !take('=')) return std::nullopt;
    skip_space();
    parameter.is_quoted = take('"');
    if (parameter.is_quoted && !skip_quoted()) return std::nullopt;
    if (!parameter.is_quoted) parameter.value = take_token();
    if (!parameter.is_quoted && parameter.value.empty()) return std::nullopt;
    skip_space();
    if (rest_.empty()) return parameter;
    if (!take(',')) return std::nullopt;
    skip_space();
    return rest_.empty() ? std::nullopt : std::optional(parameter);
  }

  std::string_view take_token() {
    const auto end = std::ranges::find_if_not(rest_, is_token_letter);
    const std::string_view token(rest_.begin(), end);
    rest_.remove_prefix(token.size());
    return token;
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  bool take(char letter) {
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }

 private:
  // To behind the closing quotation mark.
  bool skip_quoted() {
    while (!rest_.empty()) {
      if (take('"')) return true;
      take('\\');
      const auto letter = static_cast<std::uint8_t>(rest_.empty() ? 0 : rest_.front());
      if ((letter < 0x20 && letter != '\t') || letter == 0x7f) return false;
      rest_.remove_prefix(1);
    }
    return false;
  }

  std::string_view rest_;
};

template <std::size_t kBytes>
bool decode_into(std::array<std::uint8_t, kBytes>& out, std::string_view text) {
  const auto bytes = decode_base64url(text);
  if (!bytes || bytes->size() != kBytes) return false;
  append(out, *bytes);
  return true;
}

bool decode_key_id(std::vector<std::uint8_t>& out, std::string_view text) {
  auto bytes = decode_base64url(text);
  if (!bytes || bytes->empty() || bytes->size() > kMaxKeyIdBytes) return false;
  out = std::move(*bytes);
  return true;
}

// The place of a parameter among those that have to be there.
constexpr std::string_view kNames = "kapsv";

bool read_parameter(ConcealedAuth& auth, char name, std::string_view value) {
  switch (name) {
    case 'k': return decode_key_id(auth.key_id, value);
    case 'a': return decode_into(auth.public_key, value);
    case 'p': return decode_into(auth.proof, value);
    case 'v': return decode_into(auth.verification, value);
    default: return value == kEd25519SchemeText;
  }
}

void append_prefixed(std::vector<std::uint8_t>& out, Bytes bytes) {
  append_varint(out, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::uint8_t>& out, std::uint16_t number) {
  out.push_back(static_cast<std::uint8_t>(number >> 8));
  out.push_back(static_cast<std::uint8_t>(number));
}

std::vector<std::uint8_t> content_to_sign(const ConcealedExport& exported) {
  return signed_content(kContextString, {Bytes(exported).first(kExportedSignedBytes)});
}

}  // namespace

std::optional<ConcealedAuth> parse_concealed_auth(std::string_view field) {
  if (field.size() > kMaxConcealedAuthBytes) return std::nullopt;
  ParameterParser parser(field);
  if (!equal_ignoring_case(parser.take_token(), kScheme) || !parser.take(' ')) return std::nullopt;
  parser.skip_space();

  ConcealedAuth auth;
  std::array<bool, kNames.size()> has{};
  while (!parser.is_at_end()) {
    const auto parameter = parser.take_parameter();
    if (!parameter || equal_ignoring_case(parameter->name, "realm")) return std::nullopt;
    if (parameter->name.size() != 1) continue;
    const char name = to_lower(parameter->name[0]);
    const std::size_t place = kNames.find(name);
    if (place == std::string_view::npos) continue;
    const bool is_sound = !has[place] && !parameter->is_quoted;
    if (!is_sound || !read_parameter(auth, name, parameter->value)) return std::nullopt;
    has[place] = true;
  }
  return std::ranges::count(has, false) == 0 ? std::optional(auth) : std::nullopt;
}

std::string write_concealed_auth(const ConcealedAuth& auth) {
  assert(!auth.key_id.empty() && auth.key_id.size() <= kMaxKeyIdBytes);
  std::string field(kScheme);
  field += " k=" + encode_base64url(auth.key_id);
  field += ", a=" + encode_base64url(auth.public_key);
  field += ", s=" + std::string(kEd25519SchemeText);
  field += ", v=" + encode_base64url(auth.verification);
  field += ", p=" + encode_base64url(auth.proof);
  return field;
}

std::vector<std::uint8_t> concealed_context(Bytes key_id, const Ed25519PublicKey& public_key,
                                            std::string_view host, std::uint16_t port) {
  std::string small_host(host);
  std::ranges::transform(small_host, small_host.begin(), to_lower);
  std::vector<std::uint8_t> context;
  append_number(context, kEd25519Scheme);
  append_prefixed(context, key_id);
  append_prefixed(context, public_key);
  append_prefixed(context, as_bytes("https"));
  append_prefixed(context, as_bytes(small_host));
  append_number(context, port);
  append_prefixed(context, {});  // the realm
  return context;
}

std::vector<std::uint8_t> key_id_of(const Ed25519PublicKey& public_key) {
  const auto digest = secret_digest(as_text(public_key));
  return {digest.begin(), digest.begin() + 16};
}

ConcealedAuth prove(const Ed25519Key& key, Bytes key_id, const ConcealedExport& exported) {
  ConcealedAuth auth{.key_id = {key_id.begin(), key_id.end()},
                     .public_key = key.public_key(),
                     .proof = key.sign(content_to_sign(exported))};
  append(auth.verification, Bytes(exported).subspan(kExportedSignedBytes));
  return auth;
}

bool is_proven(const ConcealedAuth& auth, const ConcealedExport& exported) {
  const bool is_verified =
      std::ranges::equal(auth.verification, Bytes(exported).subspan(kExportedSignedBytes));
  const bool is_signed = verify_ed25519(auth.public_key, content_to_sign(exported), auth.proof);
  return is_verified && is_signed;
}

}  // namespace qdt::wire
