#include "wire/handshake.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/domain_name.h"
#include "base/peer_text.h"
#include "wire/base64.h"

namespace qdt::wire {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

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

// One to kMaxDirectIds of them, no two alike; nothing otherwise.
std::optional<std::vector<DirectId>> parse_direct_ids(const Json& json) {
  const auto texts = parse_strings(json, "direct_ids");
  if (!texts || texts->empty() || texts->size() > kMaxDirectIds) return std::nullopt;
  std::vector<DirectId> ids(texts->size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto bytes = decode_base64((*texts)[i]);
    if (!bytes || bytes->size() != kDirectIdBytes) return std::nullopt;
    append(ids[i], *bytes);
    const auto before = std::span(ids).first(i);
    if (std::ranges::find(before, ids[i]) != before.end()) return std::nullopt;
  }
  return ids;
}

std::vector<std::string> texts_of_ids(const std::vector<DirectId>& ids) {
  std::vector<std::string> texts;
  for (const DirectId& id : ids) texts.push_back(encode_base64(id));
  return texts;
}

std::optional<std::string> parse_name(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || member->is_null()) return std::string();
  if (!member->is_string()) return std::nullopt;
  return quote_peer_name(member->get_ref<const std::string&>());
}

bool is_resume_token(std::string_view text) {
  return text.size() <= kMaxResumeTokenBytes &&
         std::ranges::all_of(text, [](char letter) { return letter >= 0x21 && letter <= 0x7e; });
}

// Empty when it is missing.
std::optional<std::string> parse_resume_token(const Json& json) {
  const auto member = json.find("resume_token");
  if (member == json.end() || member->is_null()) return std::string();
  if (!member->is_string()) return std::nullopt;
  const auto& token = member->get_ref<const std::string&>();
  return is_resume_token(token) ? std::optional(token) : std::nullopt;
}

std::string_view text_member(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

// --- the members of an answer; their errors name them ---

std::unexpected<Error> refuse_answer(const std::string& what) {
  return fail("the server's answer has " + what);
}

Result<IpAddress> parse_host_address(const Json& json, const char* name, bool is_v4) {
  const auto address = IpAddress::parse(text_member(json, name));
  if (!address || address->is_v4() != is_v4) {
    return refuse_answer(std::string("no valid ") + (is_v4 ? "IPv4 " : "IPv6 ") + name);
  }
  if (!is_host_address(*address)) {
    return refuse_answer(std::string("an unusable ") + name + ", " + address->to_string());
  }
  return *address;
}

Result<void> parse_ipv4_addresses(const Json& json, ConnectResponse& response) {
  const auto client_ip = parse_host_address(json, "client_ip", /*is_v4=*/true);
  if (!client_ip) return fail(client_ip);
  const auto gateway_ip = parse_host_address(json, "gateway_ip", /*is_v4=*/true);
  if (!gateway_ip) return fail(gateway_ip);
  if (*gateway_ip == *client_ip) return refuse_answer("a gateway_ip that is its client_ip too");

  const auto cidr = Prefix::parse(text_member(json, "cidr"), Prefix::HostBits::kCleared);
  if (!cidr || !cidr->contains(*client_ip)) {
    return refuse_answer("no cidr that contains its client_ip");
  }
  if (cidr->length() < kMinPrefixLength4) {
    return refuse_answer("a cidr wider than /8, " + cidr->to_string());
  }
  response.client_ip = *client_ip;
  response.gateway_ip = *gateway_ip;
  response.cidr = *cidr;
  return {};
}

// All three members or none: a server may take up the cap and still have no IPv6 to lend.
Result<std::optional<Ipv6Addresses>> parse_ipv6_addresses(const Json& json, std::size_t mtu) {
  const bool has_any =
      json.contains("client_ip6") || json.contains("gateway_ip6") || json.contains("cidr6");
  if (!has_any) return std::nullopt;
  if (mtu < kMinIpv6Mtu) return refuse_answer("a client_ip6, and an mtu below IPv6's least, 1280");

  const auto client_ip = parse_host_address(json, "client_ip6", /*is_v4=*/false);
  if (!client_ip) return fail(client_ip);
  const auto gateway_ip = parse_host_address(json, "gateway_ip6", /*is_v4=*/false);
  if (!gateway_ip) return fail(gateway_ip);
  if (*gateway_ip == *client_ip) return refuse_answer("a gateway_ip6 that is its client_ip6 too");

  const auto cidr = Prefix::parse(text_member(json, "cidr6"));
  if (!cidr || !cidr->contains(*client_ip) || !cidr->contains(*gateway_ip)) {
    return refuse_answer("no cidr6 that contains its client_ip6 and gateway_ip6");
  }
  if (!is_routable(*cidr)) return refuse_answer("an unusable cidr6, " + cidr->to_string());
  return Ipv6Addresses{.client_ip = *client_ip, .gateway_ip = *gateway_ip, .cidr = *cidr};
}

Result<std::vector<IpAddress>> parse_dns(const Json& json) {
  const auto texts = parse_strings(json, "dns");
  if (!texts) return refuse_answer("a dns member that is no list of addresses");
  if (texts->size() > kMaxPushedDnsServers) {
    return refuse_answer("more than " + std::to_string(kMaxPushedDnsServers) + " servers in dns");
  }
  std::vector<IpAddress> servers;
  for (const std::string& text : *texts) {
    const auto server = IpAddress::parse(text);
    const bool is_usable = server && !server->is_unspecified() && !server->is_loopback() &&
                           !server->is_multicast() && !server->is_link_local();
    if (!is_usable) return refuse_answer("an unusable server in dns, " + quote_peer_name(text));
    servers.push_back(*server);
  }
  return servers;
}

Result<std::vector<Prefix>> parse_routes(const Json& json) {
  const auto texts = parse_strings(json, "routes");
  if (!texts) return refuse_answer("a routes member that is no list of prefixes");
  if (texts->size() > kMaxPushedRoutes) {
    return refuse_answer("more than " + std::to_string(kMaxPushedRoutes) + " prefixes in routes");
  }
  std::vector<Prefix> routes;
  for (const std::string& text : *texts) {
    const auto route = Prefix::parse(text);
    if (!route || !is_routable(*route)) {
      return refuse_answer("an unusable prefix in routes, " + quote_peer_name(text));
    }
    routes.push_back(*route);
  }
  return routes;
}

Result<std::vector<std::string>> parse_dns_domains(const Json& json) {
  auto domains = parse_strings(json, "dns_domains");
  if (!domains) return refuse_answer("a dns_domains member that is no list of names");
  if (domains->size() > kMaxPushedDomains) {
    return refuse_answer("more than " + std::to_string(kMaxPushedDomains) +
                         " names in dns_domains");
  }
  std::size_t bytes = 0;
  for (const std::string& domain : *domains) {
    if (!is_domain_name(domain)) {
      return refuse_answer("an unusable name in dns_domains, " + quote_peer_name(domain));
    }
    bytes += domain.size();
  }
  if (bytes > kMaxPushedDomainBytes) {
    return refuse_answer("more than " + std::to_string(kMaxPushedDomainBytes) +
                         " bytes in dns_domains");
  }
  return std::move(*domains);
}

template <typename Value>
std::vector<std::string> texts_of(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) texts.push_back(value.to_string());
  return texts;
}

// A member whose cap was not agreed on is a member that version 1 does not know: ignored.
Result<void> parse_members_of_caps(const Json& json, ConnectResponse& response) {
  if (response.caps.ipv6) {
    const auto ipv6 = parse_ipv6_addresses(json, response.mtu);
    if (!ipv6) return fail(ipv6);
    response.ipv6 = *ipv6;
  }
  if (response.caps.routes) {
    auto routes = parse_routes(json);
    if (!routes) return fail(routes);
    response.routes = std::move(*routes);
  }
  if (response.caps.dns_domains) {
    auto domains = parse_dns_domains(json);
    if (!domains) return fail(domains);
    response.dns_domains = std::move(*domains);
  }
  if (response.caps.resume) {
    auto token = parse_resume_token(json);
    if (!token) return refuse_answer("a resume_token that is not up to 128 printable characters");
    response.resume_token = std::move(*token);
  }
  if (response.caps.direct) {
    auto ids = parse_direct_ids(json);
    if (!ids) return refuse_answer("no direct_ids: 1 to 8 different connection IDs of 8 bytes");
    response.direct_ids = std::move(*ids);
  }
  return {};
}

}  // namespace

bool is_host_address(const IpAddress& address) {
  if (address == IpAddress::v4(0xffffffff)) return false;  // everybody's (RFC 919 section 7)
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() &&
         (address.is_v4() || !address.is_link_local());
}

bool is_routable(const Prefix& prefix) {
  const IpAddress& address = prefix.address();
  const int shortest = address.is_v4() ? kMinPrefixLength4 : kMinPrefixLength6;
  return prefix.length() >= shortest && !address.is_unspecified() && !address.is_loopback() &&
         !address.is_multicast() && !address.is_link_local();
}

Capabilities Capabilities::supported(AeadPreference preference) {
  const bool prefers_aes = preference == AeadPreference::kAes256Gcm ||
                           (preference == AeadPreference::kAuto && has_fast_aes());
  return {.ping = true,
          .close = true,
          .aes_256_gcm = prefers_aes,
          .ipv6 = true,
          .routes = true,
          .dns_domains = true};
}

Capabilities Capabilities::from_names(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  return {.ping = has(cap::kPing),
          .close = has(cap::kClose),
          .aes_256_gcm = has(cap::kAes256Gcm),
          .resume = has(cap::kResume),
          .ipv6 = has(cap::kIpv6),
          .routes = has(cap::kRoutes),
          .dns_domains = has(cap::kDnsDomains),
          .direct = has(cap::kDirect),
          .shared_id = has(cap::kSharedId)};
}

std::vector<std::string> Capabilities::names() const {
  std::vector<std::string> names;
  if (ping) names.emplace_back(cap::kPing);
  if (close) names.emplace_back(cap::kClose);
  if (aes_256_gcm) names.emplace_back(cap::kAes256Gcm);
  if (resume) names.emplace_back(cap::kResume);
  if (ipv6) names.emplace_back(cap::kIpv6);
  if (routes) names.emplace_back(cap::kRoutes);
  if (dns_domains) names.emplace_back(cap::kDnsDomains);
  if (direct) names.emplace_back(cap::kDirect);
  if (direct && shared_id) names.emplace_back(cap::kSharedId);
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
    case HandshakeResult::kLimitedScope: return {501, "scope not supported", "scope"};
    case HandshakeResult::kPoolExhausted: return {503, "address pool exhausted", "pool_exhausted"};
    case HandshakeResult::kEnrolled: return {200, "", "enrolled"};
    case HandshakeResult::kLinkUsed: return {410, "link used", "link_used"};
    case HandshakeResult::kLinkExpired: return {410, "link expired", "link_expired"};
    case HandshakeResult::kTooManyDevices: return {403, "too many devices", "too_many_devices"};
    case HandshakeResult::kKeyInUse: return {409, "key in use", "key_in_use"};
    case HandshakeResult::kCount: break;
  }
  return {500, "internal error", "internal"};
}

std::expected<ConnectRequest, HandshakeResult> parse_connect_request(std::string_view body) {
  if (body.size() > kMaxConnectBodyBytes) return std::unexpected(HandshakeResult::kBadRequest);
  const auto json = parse_object(body);
  if (!json || !has_version(*json)) return std::unexpected(HandshakeResult::kBadRequest);

  const auto mtu = parse_mtu(*json);
  const auto caps = parse_strings(*json, "caps");
  auto client_id = parse_name(*json, "client_id");
  auto platform = parse_name(*json, "platform");
  auto resume_token = parse_resume_token(*json);
  if (!mtu || *mtu < kMinMtu || !caps || !client_id || !platform || !resume_token) {
    return std::unexpected(HandshakeResult::kBadRequest);
  }
  const Capabilities capabilities = Capabilities::from_names(*caps);
  auto direct_ids = capabilities.direct ? parse_direct_ids(*json) : std::vector<DirectId>();
  if (!direct_ids) return std::unexpected(HandshakeResult::kBadRequest);

  const auto nonce = parse_nonce(*json, "client_nonce");
  if (!nonce) return std::unexpected(HandshakeResult::kBadNonce);
  return ConnectRequest{.client_nonce = *nonce,
                        .mtu = *mtu,
                        .caps = capabilities,
                        .client_id = std::move(*client_id),
                        .platform = std::move(*platform),
                        .resume_token = std::move(*resume_token),
                        .direct_ids = std::move(*direct_ids)};
}

std::string to_json(const ConnectRequest& request) {
  std::vector<std::string> caps = {std::string(cap::kFragment), std::string(cap::kAead)};
  std::ranges::copy(request.caps.names(), std::back_inserter(caps));
  Json json{{"version", kVersion},
            {"client_nonce", encode_base64(request.client_nonce)},
            {"mtu", request.mtu},
            {"caps", caps},
            {"client_id", request.client_id},
            {"platform", request.platform}};
  if (!request.resume_token.empty()) json["resume_token"] = request.resume_token;
  if (request.caps.direct) json["direct_ids"] = texts_of_ids(request.direct_ids);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ConnectResponse> parse_connect_response(std::string_view body, const Capabilities& offered) {
  const auto json = parse_object(body);
  if (!json) return fail("the server's answer is not a JSON object");
  if (!has_version(*json)) return fail("the server speaks another protocol version than 1");

  ConnectResponse response;
  const auto id = json->find("session_id");
  if (id == json->end() || !id->is_number_unsigned()) return refuse_answer("no valid session_id");
  response.session_id = id->get<std::uint64_t>();

  const auto nonce = parse_nonce(*json, "server_nonce");
  if (!nonce) return refuse_answer("no valid server_nonce");
  response.server_nonce = *nonce;

  const auto mtu = parse_mtu(*json);
  if (!mtu || *mtu < kMinMtu) return refuse_answer("an mtu below 576");
  response.mtu = *mtu;

  if (auto ok = parse_ipv4_addresses(*json, response); !ok) return fail(ok);
  auto dns = parse_dns(*json);
  if (!dns) return fail(dns);
  response.dns = std::move(*dns);

  const auto caps = parse_strings(*json, "caps");
  if (!caps) return refuse_answer("a caps member that is no list of names");
  response.caps = Capabilities::from_names(*caps) & offered;
  if (auto ok = parse_members_of_caps(*json, response); !ok) return fail(ok);
  return response;
}

bool is_connect_response(std::string_view body) {
  const auto json = parse_object(body);
  return json && (json->contains("session_id") || json->contains("server_nonce"));
}

std::string to_json(const ConnectResponse& response) {
  Json json{{"version", kVersion},
            {"session_id", response.session_id},
            {"server_nonce", encode_base64(response.server_nonce)},
            {"mtu", response.mtu},
            {"client_ip", response.client_ip.to_string()},
            {"gateway_ip", response.gateway_ip.to_string()},
            {"cidr", response.cidr.to_string()},
            {"dns", texts_of(response.dns)}};
  // A plain v1 peer offered none and is answered none.
  if (const auto caps = response.caps.names(); !caps.empty()) json["caps"] = caps;
  if (response.caps.ipv6 && response.ipv6) {
    json["client_ip6"] = response.ipv6->client_ip.to_string();
    json["gateway_ip6"] = response.ipv6->gateway_ip.to_string();
    json["cidr6"] = response.ipv6->cidr.to_string();
  }
  if (response.caps.routes && !response.routes.empty()) {
    json["routes"] = texts_of(response.routes);
  }
  if (response.caps.dns_domains && !response.dns_domains.empty()) {
    json["dns_domains"] = response.dns_domains;
  }
  if (response.caps.resume && !response.resume_token.empty()) {
    json["resume_token"] = response.resume_token;
  }
  if (response.caps.direct) json["direct_ids"] = texts_of_ids(response.direct_ids);
  return json.dump();
}

}  // namespace qdt::wire
