#include "wire/session_field.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/domain_name.h"
#include "base/peer_text.h"
#include "wire/structured_field.h"

namespace qdt::wire {
namespace {

constexpr std::int64_t kVersion = 2;
constexpr std::size_t kMaxMtu = 65535;

struct CapName {
  std::string_view name;
  bool SessionCaps::* cap;
};
constexpr std::array<CapName, 8> kCapNames = {{{cap::kPing, &SessionCaps::ping},
                                               {cap::kClose, &SessionCaps::close},
                                               {cap::kFragment, &SessionCaps::fragment},
                                               {cap::kAes256Gcm, &SessionCaps::aes_256_gcm},
                                               {cap::kResume, &SessionCaps::resume},
                                               {cap::kDirect, &SessionCaps::direct},
                                               {cap::kSharedId, &SessionCaps::shared_id},
                                               {"sealed", &SessionCaps::sealed}}};

std::unexpected<Error> refuse(std::string_view key, std::string_view what) {
  return fail("the peer's field qdt has " + std::string(what) + " in " + std::string(key));
}

/// The members of a field by key and type. What is missing is empty.
class Members {
 public:
  explicit Members(FieldDictionary dictionary) : dictionary_(std::move(dictionary)) {}

  Result<std::optional<FieldItem>> item(std::string_view key, FieldType type) const {
    const FieldMember* member = dictionary_.find(key);
    if (member == nullptr) return std::nullopt;
    if (member->is_list || member->items[0].type != type) return refuse(key, "another type");
    return member->items[0];
  }

  Result<std::vector<std::string>> list(std::string_view key, FieldType type) const {
    std::vector<std::string> texts;
    const FieldMember* member = dictionary_.find(key);
    if (member == nullptr) return texts;
    if (!member->is_list) return refuse(key, "no list");
    for (const FieldItem& item : member->items) {
      if (item.type != type) return refuse(key, "another type");
      texts.push_back(item.text);
    }
    return texts;
  }

  /// Nothing when the member is missing.
  template <std::size_t kBytes>
  Result<std::optional<std::array<std::uint8_t, kBytes>>> bytes(std::string_view key) const {
    const auto item = this->item(key, FieldType::kBytes);
    if (!item) return fail(item);
    if (!*item) return std::nullopt;
    if ((*item)->text.size() != kBytes) return refuse(key, "another length");
    std::array<std::uint8_t, kBytes> bytes;
    append(bytes, as_bytes((*item)->text));
    return bytes;
  }

 private:
  FieldDictionary dictionary_;
};

SessionCaps caps_of(const std::vector<std::string>& names) {
  SessionCaps caps;
  for (const auto& [name, cap] : kCapNames)
    caps.*cap = std::ranges::find(names, name) != names.end();
  caps.shared_id = caps.shared_id && caps.direct;
  return caps;
}

Result<std::size_t> parse_mtu(const Members& members) {
  const auto mtu = members.item("mtu", FieldType::kInteger);
  if (!mtu) return fail(mtu);
  if (!*mtu) return kDefaultMtu;
  const std::int64_t number = (*mtu)->number;
  if (number < static_cast<std::int64_t>(kMinMtu) || number > static_cast<std::int64_t>(kMaxMtu)) {
    return refuse("mtu", "a number out of bounds");
  }
  return static_cast<std::size_t>(number);
}

Result<std::vector<DirectId>> parse_direct_ids(const Members& members) {
  const auto texts = members.list("direct", FieldType::kBytes);
  if (!texts) return fail(texts);
  if (texts->empty() || texts->size() > kMaxDirectIds) return refuse("direct", "too few or many");
  std::vector<DirectId> ids(texts->size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if ((*texts)[i].size() != kDirectIdBytes) return refuse("direct", "another length");
    append(ids[i], as_bytes((*texts)[i]));
    const auto before = std::span(ids).first(i);
    if (std::ranges::find(before, ids[i]) != before.end()) return refuse("direct", "one ID twice");
  }
  return ids;
}

Result<std::string> parse_resume_token(const Members& members) {
  const auto token = members.item("resume", FieldType::kString);
  if (!token) return fail(token);
  if (!*token) return std::string();
  const std::string& text = (*token)->text;
  const bool is_sound = !text.empty() && text.size() <= kMaxResumeTokenBytes && !text.contains(' ');
  return is_sound ? Result<std::string>(text) : refuse("resume", "no token");
}

Result<std::string> parse_name(const Members& members, std::string_view key) {
  const auto name = members.item(key, FieldType::kString);
  if (!name) return fail(name);
  return *name ? quote_peer_name((*name)->text) : std::string();
}

Result<std::vector<IpAddress>> parse_addresses(const Members& members, std::string_view key,
                                               std::size_t most) {
  const auto texts = members.list(key, FieldType::kString);
  if (!texts) return fail(texts);
  if (texts->size() > most) return refuse(key, "too many addresses");
  std::vector<IpAddress> addresses;
  for (const std::string& text : *texts) {
    const auto address = IpAddress::parse(text);
    const bool is_usable = address && !address->is_unspecified() && !address->is_loopback() &&
                           !address->is_multicast() && !address->is_link_local();
    if (!is_usable) return refuse(key, "an unusable address, " + quote_peer_name(text) + ",");
    addresses.push_back(*address);
  }
  return addresses;
}

Result<std::vector<IpAddress>> parse_gateways(const Members& members) {
  auto gateways = parse_addresses(members, "gateway", 2);
  if (gateways && gateways->size() == 2 && (*gateways)[0].is_v4() == (*gateways)[1].is_v4()) {
    return refuse("gateway", "two addresses of one kind");
  }
  return gateways;
}

Result<std::vector<Prefix>> parse_pools(const Members& members) {
  const auto texts = members.list("pool", FieldType::kString);
  if (!texts) return fail(texts);
  std::vector<Prefix> pools;
  for (const std::string& text : *texts) {
    const auto pool = Prefix::parse(text);
    if (!pool || !is_routable(*pool)) {
      return refuse("pool", "an unusable prefix, " + quote_peer_name(text) + ",");
    }
    pools.push_back(*pool);
  }
  const bool is_sound = pools.size() < 2 || (pools.size() == 2 && pools[0].address().is_v4() !=
                                                                      pools[1].address().is_v4());
  if (!is_sound) return refuse("pool", "two prefixes of one kind");
  return pools;
}

Result<std::vector<std::string>> parse_domains(const Members& members) {
  auto domains = members.list("domains", FieldType::kString);
  if (!domains) return domains;
  std::size_t bytes = 0;
  for (const std::string& domain : *domains) {
    if (!is_domain_name(domain)) {
      return refuse("domains", "an unusable name, " + quote_peer_name(domain) + ",");
    }
    bytes += domain.size();
  }
  if (domains->size() > kMaxPushedDomains || bytes > kMaxPushedDomainBytes) {
    return refuse("domains", "too many names");
  }
  return domains;
}

// What request and answer have both.
template <typename Field>
Result<void> parse_common(const Members& members, const SessionCaps& offered, Field& field) {
  const auto version = members.item("v", FieldType::kInteger);
  if (!version) return fail(version);
  if (!*version || (*version)->number != kVersion) return refuse("v", "another version than 2");

  const auto nonce = members.bytes<kHandshakeNonceBytes>("nonce");
  if (!nonce) return fail(nonce);
  if (!*nonce) return refuse("nonce", "nothing");
  field.nonce = **nonce;

  const auto caps = members.list("caps", FieldType::kToken);
  if (!caps) return fail(caps);
  field.caps = caps_of(*caps) & offered;
  const auto mtu = parse_mtu(members);
  if (!mtu) return fail(mtu);
  field.mtu = *mtu;

  if (field.caps.direct) {
    auto ids = parse_direct_ids(members);
    if (!ids) return fail(ids);
    field.direct_ids = std::move(*ids);
  }
  if (field.caps.resume) {
    auto token = parse_resume_token(members);
    if (!token) return fail(token);
    field.resume_token = std::move(*token);
  }
  return {};
}

Result<Members> parse_members(std::string_view field) {
  auto dictionary = parse_field_dictionary(field);
  if (!dictionary) return fail("the peer's field qdt is no dictionary");
  return Members(std::move(*dictionary));
}

// --- writing ---

void add(FieldDictionary& dictionary, std::string_view key, FieldItem item) {
  dictionary.members.push_back({.key = std::string(key), .items = {std::move(item)}});
}

template <typename Values>
void add_list(FieldDictionary& dictionary, std::string_view key, const Values& values,
              FieldItem (*item_of)(const typename Values::value_type&)) {
  FieldMember member{.key = std::string(key), .is_list = true, .items = {}};
  for (const auto& value : values) member.items.push_back(item_of(value));
  dictionary.members.push_back(std::move(member));
}

void add_name(FieldDictionary& dictionary, std::string_view key, std::string name) {
  if (name.empty()) return;
  std::ranges::replace_if(name, [](char letter) { return letter < 0x20 || letter > 0x7e; }, '?');
  add(dictionary, key, FieldItem::of_string(name));
}

template <typename Field>
FieldDictionary common_members(const Field& field) {
  FieldDictionary dictionary;
  add(dictionary, "v", FieldItem::of_integer(kVersion));
  add(dictionary, "nonce", FieldItem::of_bytes(field.nonce));
  FieldMember caps{.key = "caps", .is_list = true, .items = {}};
  for (const auto& [name, cap] : kCapNames) {
    if (field.caps.*cap) caps.items.push_back(FieldItem::of_token(name));
  }
  dictionary.members.push_back(std::move(caps));
  add(dictionary, "mtu", FieldItem::of_integer(static_cast<std::int64_t>(field.mtu)));
  if (field.caps.direct) {
    add_list(
        dictionary, "direct", field.direct_ids,
        +[](const DirectId& id) { return FieldItem::of_bytes(id); });
  }
  if (!field.resume_token.empty()) {
    add(dictionary, "resume", FieldItem::of_string(field.resume_token));
  }
  return dictionary;
}

FieldItem item_of_address(const IpAddress& address) {
  return FieldItem::of_string(address.to_string());
}

}  // namespace

SessionCaps SessionCaps::operator&(const SessionCaps& other) const {
  SessionCaps both;
  for (const auto& [name, cap] : kCapNames) both.*cap = this->*cap && other.*cap;
  both.shared_id = both.shared_id && both.direct;
  return both;
}

Capabilities to_capabilities(const SessionCaps& caps) {
  return {.ping = caps.ping,
          .close = caps.close,
          .aes_256_gcm = caps.aes_256_gcm,
          .resume = caps.resume,
          .ipv6 = true,
          .routes = true,
          .dns_domains = true,
          .direct = caps.direct,
          .shared_id = caps.shared_id};
}

SessionCaps to_session_caps(const Capabilities& caps) {
  return {.ping = caps.ping,
          .close = caps.close,
          .fragment = true,
          .aes_256_gcm = caps.aes_256_gcm,
          .resume = caps.resume,
          .direct = caps.direct,
          .shared_id = caps.shared_id,
          .sealed = false};
}

Result<SessionRequest> parse_session_request(std::string_view field) {
  const auto members = parse_members(field);
  if (!members) return fail(members);
  SessionCaps all;
  for (const auto& [name, cap] : kCapNames) all.*cap = true;
  SessionRequest request;
  if (auto ok = parse_common(*members, all, request); !ok) return fail(ok);
  auto name = parse_name(*members, "name");
  if (!name) return fail(name);
  request.name = std::move(*name);
  auto platform = parse_name(*members, "platform");
  if (!platform) return fail(platform);
  request.platform = std::move(*platform);
  const auto enrol = members->bytes<kEd25519KeyBytes>("enrol");
  if (!enrol) return fail(enrol);
  request.enrol = *enrol;
  return request;
}

Result<SessionAnswer> parse_session_answer(std::string_view field, const SessionCaps& offered) {
  const auto members = parse_members(field);
  if (!members) return fail(members);
  SessionAnswer answer;
  if (auto ok = parse_common(*members, offered, answer); !ok) return fail(ok);
  auto gateways = parse_gateways(*members);
  if (!gateways) return fail(gateways);
  answer.gateways = std::move(*gateways);
  auto pools = parse_pools(*members);
  if (!pools) return fail(pools);
  answer.pools = std::move(*pools);
  auto dns = parse_addresses(*members, "dns", kMaxPushedDnsServers);
  if (!dns) return fail(dns);
  answer.dns = std::move(*dns);
  auto domains = parse_domains(*members);
  if (!domains) return fail(domains);
  answer.domains = std::move(*domains);

  const auto key = members->bytes<kEd25519KeyBytes>("key");
  if (!key) return fail(key);
  const auto proof = members->bytes<kEd25519SignatureBytes>("proof");
  if (!proof) return fail(proof);
  if (key->has_value() != proof->has_value()) return refuse("key", "no proof, or no key to it,");
  answer.key = *key;
  if (*proof) answer.proof = **proof;
  return answer;
}

std::string write_session_field(const SessionRequest& request) {
  FieldDictionary dictionary = common_members(request);
  add_name(dictionary, "name", request.name);
  add_name(dictionary, "platform", request.platform);
  if (request.enrol) add(dictionary, "enrol", FieldItem::of_bytes(*request.enrol));
  return write_field_dictionary(dictionary);
}

std::string write_session_field(const SessionAnswer& answer) {
  FieldDictionary dictionary = common_members(answer);
  if (!answer.gateways.empty()) add_list(dictionary, "gateway", answer.gateways, item_of_address);
  if (!answer.pools.empty()) {
    add_list(
        dictionary, "pool", answer.pools,
        +[](const Prefix& pool) { return FieldItem::of_string(pool.to_string()); });
  }
  if (!answer.dns.empty()) add_list(dictionary, "dns", answer.dns, item_of_address);
  if (!answer.domains.empty()) {
    add_list(
        dictionary, "domains", answer.domains,
        +[](const std::string& domain) { return FieldItem::of_string(domain); });
  }
  if (answer.key) {
    add(dictionary, "key", FieldItem::of_bytes(*answer.key));
    add(dictionary, "proof", FieldItem::of_bytes(answer.proof));
  }
  return write_field_dictionary(dictionary);
}

}  // namespace qdt::wire
