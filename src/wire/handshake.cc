#include "wire/handshake.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "wire/base64.h"

namespace qdt::wire {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMaxNameBytes = 64;

std::optional<Json> parse_object(std::string_view body) {
  Json json = Json::parse(body, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::optional<HandshakeNonce> parse_nonce(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return std::nullopt;
  const auto bytes = decode_base64(member->get_ref<const std::string&>());
  if (!bytes || bytes->size() != kHandshakeNonceBytes) return std::nullopt;
  HandshakeNonce nonce;
  std::ranges::copy(*bytes, nonce.begin());
  return nonce;
}

bool has_version(const Json& json) {
  const auto member = json.find("version");
  return member != json.end() && member->is_number_integer() && *member == kVersion;
}

// Missing and non-positive both mean the default; nothing when it is no number.
std::optional<std::size_t> parse_mtu(const Json& json) {
  const auto member = json.find("mtu");
  if (member == json.end() || member->is_null()) return kDefaultMtu;
  if (!member->is_number_integer()) return std::nullopt;
  if (member->is_number_unsigned()) {
    const auto mtu = member->get<std::uint64_t>();
    return mtu == 0 ? kDefaultMtu : static_cast<std::size_t>(std::min<std::uint64_t>(mtu, 65535));
  }
  return kDefaultMtu;
}

// Strings of an optional array; nothing when it is something else.
std::optional<std::vector<std::string>> parse_strings(const Json& json, const char* name) {
  std::vector<std::string> strings;
  const auto member = json.find(name);
  if (member == json.end() || member->is_null()) return strings;
  if (!member->is_array()) return std::nullopt;
  for (const Json& element : *member) {
    if (!element.is_string()) return std::nullopt;
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

std::optional<std::string> parse_name(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || member->is_null()) return std::string();
  if (!member->is_string()) return std::nullopt;
  std::string text = member->get<std::string>().substr(0, kMaxNameBytes);
  std::ranges::replace_if(
      text, [](unsigned char letter) { return letter < 0x20 || letter >= 0x7f; }, '?');
  return text;
}

std::string_view text_member(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

}  // namespace

Capabilities Capabilities::supported(AeadPreference preference) {
  const bool prefers_aes = preference == AeadPreference::kAes256Gcm ||
                           (preference == AeadPreference::kAuto && has_fast_aes());
  return {.ping = true, .close = true, .aes_256_gcm = prefers_aes};
}

Capabilities Capabilities::from_names(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  return {.ping = has(cap::kPing), .close = has(cap::kClose), .aes_256_gcm = has(cap::kAes256Gcm)};
}

std::vector<std::string> Capabilities::names() const {
  std::vector<std::string> names;
  if (ping) names.emplace_back(cap::kPing);
  if (close) names.emplace_back(cap::kClose);
  if (aes_256_gcm) names.emplace_back(cap::kAes256Gcm);
  return names;
}

HandshakeStatus handshake_status(HandshakeResult result) {
  switch (result) {
    case HandshakeResult::kOk: return {200, "", "ok"};
    case HandshakeResult::kNotReady: return {503, "not ready", "not_ready"};
    case HandshakeResult::kMethod: return {405, "method not allowed", "method"};
    case HandshakeResult::kUnauthorized: return {401, "unauthorized", "unauthorized"};
    case HandshakeResult::kRateLimited: return {429, "rate limited", "rate_limited"};
    case HandshakeResult::kBusy: return {503, "server busy", "busy"};
    case HandshakeResult::kNotHttp3: return {400, "not http3", "not_http3"};
    case HandshakeResult::kBadRequest: return {400, "bad request", "bad_request"};
    case HandshakeResult::kBadNonce: return {400, "bad nonce", "bad_nonce"};
    case HandshakeResult::kPoolExhausted: return {503, "address pool exhausted", "pool_exhausted"};
    case HandshakeResult::kCount: break;
  }
  return {500, "internal error", "internal"};
}

bool is_complete_json(std::string_view body) {
  return Json::accept(body);
}

std::expected<ConnectRequest, HandshakeResult> parse_connect_request(std::string_view body) {
  if (body.size() > kMaxConnectBodyBytes) return std::unexpected(HandshakeResult::kBadRequest);
  const auto json = parse_object(body);
  if (!json || !has_version(*json)) return std::unexpected(HandshakeResult::kBadRequest);

  const auto mtu = parse_mtu(*json);
  const auto caps = parse_strings(*json, "caps");
  auto client_id = parse_name(*json, "client_id");
  auto platform = parse_name(*json, "platform");
  if (!mtu || !caps || !client_id || !platform) {
    return std::unexpected(HandshakeResult::kBadRequest);
  }

  const auto nonce = parse_nonce(*json, "client_nonce");
  if (!nonce) return std::unexpected(HandshakeResult::kBadNonce);
  return ConnectRequest{.client_nonce = *nonce,
                        .mtu = *mtu,
                        .caps = Capabilities::from_names(*caps),
                        .client_id = std::move(*client_id),
                        .platform = std::move(*platform)};
}

std::string to_json(const ConnectRequest& request) {
  std::vector<std::string> caps = {std::string(cap::kFragment), std::string(cap::kAead)};
  std::ranges::copy(request.caps.names(), std::back_inserter(caps));
  return Json{{"version", kVersion},
              {"client_nonce", encode_base64(request.client_nonce)},
              {"mtu", request.mtu},
              {"caps", caps},
              {"client_id", request.client_id},
              {"platform", request.platform}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ConnectResponse> parse_connect_response(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail("the server's answer is not a JSON object");
  if (!has_version(*json)) return fail("the server speaks another protocol version than 1");

  ConnectResponse response;
  const auto id = json->find("session_id");
  if (id == json->end() || !id->is_number_unsigned()) {
    return fail("the server's answer has no valid session_id");
  }
  response.session_id = id->get<std::uint64_t>();

  const auto nonce = parse_nonce(*json, "server_nonce");
  if (!nonce) return fail("the server's answer has no valid server_nonce");
  response.server_nonce = *nonce;

  const auto mtu = parse_mtu(*json);
  if (!mtu || *mtu < kMinMtu) return fail("the server's answer has an mtu below 576");
  response.mtu = *mtu;

  const auto address = [&](const char* name, IpAddress& out) -> Result<void> {
    const auto parsed = IpAddress::parse(text_member(*json, name));
    if (!parsed || !parsed->is_v4()) {
      return fail(std::string("the server's answer has no valid IPv4 ") + name);
    }
    if (parsed->is_unspecified() || parsed->is_loopback() || parsed->is_multicast()) {
      return fail(std::string("the server's answer has an unusable ") + name + ", " +
                  parsed->to_string());
    }
    out = *parsed;
    return {};
  };
  if (auto ok = address("client_ip", response.client_ip); !ok) return fail(ok);
  if (auto ok = address("gateway_ip", response.gateway_ip); !ok) return fail(ok);

  const auto cidr = Prefix::parse(text_member(*json, "cidr"), Prefix::HostBits::kCleared);
  if (!cidr || !cidr->contains(response.client_ip)) {
    return fail("the server's answer has no cidr that contains its client_ip");
  }
  response.cidr = *cidr;

  const auto dns = parse_strings(*json, "dns");
  if (!dns) return fail("the server's answer has a dns member that is no list of addresses");
  for (const std::string& text : *dns) {
    const auto server = IpAddress::parse(text);
    if (!server || server->is_unspecified() || server->is_multicast()) {
      return fail("the server's answer has an unusable DNS server, \"" + text.substr(0, 64) + "\"");
    }
    response.dns.push_back(*server);
  }

  const auto caps = parse_strings(*json, "caps");
  if (!caps) return fail("the server's answer has a caps member that is no list of names");
  response.caps = Capabilities::from_names(*caps);
  return response;
}

std::string to_json(const ConnectResponse& response) {
  std::vector<std::string> dns;
  for (const IpAddress& server : response.dns) dns.push_back(server.to_string());
  Json json{{"version", kVersion},
            {"session_id", response.session_id},
            {"server_nonce", encode_base64(response.server_nonce)},
            {"mtu", response.mtu},
            {"client_ip", response.client_ip.to_string()},
            {"gateway_ip", response.gateway_ip.to_string()},
            {"cidr", response.cidr.to_string()},
            {"dns", dns}};
  // A plain v1 peer offered none and is answered none.
  if (const auto caps = response.caps.names(); !caps.empty()) json["caps"] = caps;
  return json.dump();
}

}  // namespace qdt::wire
