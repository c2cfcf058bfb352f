#include "control/user_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/words.h"
#include "control/answer.h"
#include "users/contents_code.h"
#include "users/quota.h"
#include "users/text.h"
#include "users/usage.h"
#include "wire/base64.h"
#include "wire/key_text.h"
#include "wire/seal.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;
using users::Device;
using users::Edit;
using users::Group;
using users::Limits;
using users::User;

constexpr std::size_t kMaxBodyBytes = 16 << 10;
constexpr std::size_t kMaxSessions = 1'000'000;
constexpr std::size_t kMaxDeedsShown = 1'000;
constexpr const char* kBlock = "block";  // what happens at a quota's end

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::unexpected<Error> refuse(std::string message) {
  return fail(std::move(message), ErrorCode::kInvalidArgument);
}

std::unexpected<Error> unknown(const std::string& what) {
  return fail("there is no " + what, ErrorCode::kNotFound);
}

// --- out ---

const char* state_of(const users::User& user, std::int64_t now) {
  if (!user.is_enabled) return "disabled";
  return user.expires && *user.expires <= now ? "expired" : "enabled";
}

std::uint64_t used_of_quota(const users::User& user, const users::UserFacts& facts) {
  const auto use = facts.quotas.find(user.id);
  return use == facts.quotas.end() ? 0 : use->second.bytes;
}

// `limits`: in force, as below.
const char* state_of(const users::User& user, const Limits& limits, std::int64_t now,
                     const users::UserFacts& facts) {
  const char* const state = state_of(user, now);
  const bool is_over = state == std::string_view("enabled") && limits.quota &&
                       used_of_quota(user, facts) >= limits.quota->bytes;
  return is_over ? "over_quota" : state;
}

// Of a user or a group. What is not limited is null.
void add_limits(Json& json, const Limits& limits) {
  const auto number = [](const std::optional<std::uint64_t>& value) {
    return value ? Json(*value) : Json();
  };
  json["up"] = number(limits.up);
  json["down"] = number(limits.down);
  json["max_devices"] = number(limits.max_devices);
  json["max_sessions"] = number(limits.max_sessions);
  const auto& quota = limits.quota;
  json["quota"] = quota ? Json(quota->bytes) : Json();
  json["quota_reset_day"] = quota ? Json(quota->reset_day) : Json();
  json["quota_action"] = !quota        ? Json()
                         : quota->then ? Json(users::rate_text(*quota->then))
                                       : Json(kBlock);
}

// The limits that a user has by its group.
Json from_group(const User& user, const Limits& group) {
  Json own;
  Json all;
  Json inherited = Json::array();
  add_limits(own, user.limits);
  add_limits(all, user.limits.with_defaults(group));
  for (const auto& [key, value] : all.items()) {
    if (own[key].is_null() && !value.is_null()) inherited.push_back(key);
  }
  return inherited;
}

void add_quota_use(Json& json, const User& user, const std::optional<users::Quota>& quota,
                   std::int64_t now, const users::UserFacts& facts) {
  json["quota_used"] = quota ? Json(used_of_quota(user, facts)) : Json();
  json["quota_resets"] =
      quota ? Json(users::time_text(users::quota_month(quota->reset_day, now).end)) : Json();
}

// Nothing: it has used nothing.
template <typename Key>
Json ways_of(const std::unordered_map<Key, users::MonthUsage::Ways>& all, Key key) {
  const auto found = all.find(key);
  const auto ways = found == all.end() ? users::MonthUsage::Ways() : found->second;
  return {{"up", ways.up}, {"down", ways.down}};
}

Json json_of(const users::Device& device, const users::UserFacts& facts) {
  const auto seen = facts.seen.find(device.id);
  const bool has_token = !device.token.empty() || (device.is_locked && !device.key);
  return {{"id", wire::session_id_text(device.id)},
          {"name", device.name},
          {"kind", device.key     ? "key"
                   : device.login ? "login"
                   : has_token    ? "token"
                                  : "none"},
          {"key", device.key ? Json(wire::public_key_text(*device.key)) : Json()},
          {"login", device.login ? Json(device.login->name) : Json()},
          {"psk", device.psk.has_value()},
          {"locked", device.is_locked},
          {"address", device.address ? Json(device.address->to_string()) : Json()},
          {"created", users::time_text(device.created)},
          {"last_seen", seen == facts.seen.end() ? Json() : Json(users::time_text(seen->second))},
          {"usage", ways_of(facts.month.devices, device.id)}};
}

// `group`: the limits of the user's, which are shown where it has none of its own.
Json json_of(const users::User& user, const Limits& group, std::int64_t now,
             const users::UserFacts& facts) {
  Json devices = Json::array();
  for (const users::Device& device : user.devices) devices.push_back(json_of(device, facts));
  Json links = Json::array();
  for (const users::Ticket& ticket : user.tickets) {
    if (ticket.device == 0 && ticket.expires > now)
      links.push_back(users::time_text(ticket.expires));
  }
  const Limits limits = user.limits.with_defaults(group);
  Json json = {{"name", user.name},
               {"state", state_of(user, limits, now, facts)},
               {"enabled", user.is_enabled},
               {"expires", user.expires ? Json(users::time_text(*user.expires)) : Json()},
               {"group", user.group.empty() ? Json() : Json(user.group)},
               {"from_group", from_group(user, group)}};
  add_limits(json, limits);
  add_quota_use(json, user, limits.quota, now, facts);
  json["created"] = users::time_text(user.created);
  json["devices"] = std::move(devices);
  json["open_links"] = std::move(links);
  json["month"] = users::month_text(users::period_of(now));
  json["usage"] = ways_of(facts.month.users, user.id);
  return json;
}

Json json_of(const Group& group, Json users) {
  Json json = {{"name", group.name}, {"users", std::move(users)}};
  add_limits(json, group.limits);
  return json;
}

// A month of one user; a device that is gone has no name.
Json usage_json(const users::User& user, const users::MonthUsage& month,
                const std::vector<std::uint64_t>& its_devices) {
  Json devices = Json::array();
  for (const std::uint64_t id : its_devices) {
    const auto device = std::ranges::find(user.devices, id, &Device::id);
    Json one = ways_of(month.devices, id);
    one["name"] = device == user.devices.end() ? Json() : Json(device->name);
    one["id"] = wire::session_id_text(id);
    devices.push_back(std::move(one));
  }
  Json json = {{"name", user.name}};
  json.update(ways_of(month.users, user.id));
  json["devices"] = std::move(devices);
  return json;
}

Result<Json> object_in(const std::string& body, const std::vector<std::string>& known) {
  if (body.size() > kMaxBodyBytes) return refuse("the body has more than 16 KiB");
  Json json = Json::parse(body.empty() ? "{}" : body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return refuse("the body is no object of JSON");
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return refuse("\"" + key.substr(0, 64) + "\" is not known here; there are " +
                  list_in_words(known));
  }
  return json;
}

// A text, or a number as one; nothing: null, or `none`.
Result<std::optional<std::string>> value_of(const Json& json, const std::string& key) {
  const Json& value = json.at(key);
  if (value.is_null()) return std::nullopt;
  if (value.is_number_integer()) return value.dump();
  if (!value.is_string()) return refuse(key + ": expected a text, a whole number or null");
  auto text = value.get<std::string>();
  if (text == "none") return std::nullopt;
  return text;
}

Result<std::string> name_in(const Json& json, const std::string& key) {
  if (!json.contains(key)) return refuse(key + " is missing");
  const auto text = value_of(json, key);
  if (!text) return fail(text);
  const std::string name = text->value_or("none");
  if (const auto ok = users::check_name(key, name); !ok) return fail(ok);
  return name;
}

Result<bool> flag_in(const Json& json, const std::string& key) {
  if (!json.contains(key)) return false;
  if (!json[key].is_boolean()) return refuse(key + ": expected true or false");
  return json[key].get<bool>();
}

Result<void> take_count(const Json& json, const std::string& key, std::uint64_t most,
                        std::optional<std::uint64_t>& out) {
  if (!json.contains(key)) return {};
  const auto text = value_of(json, key);
  if (!text) return fail(text);
  if (!*text) {
    out.reset();
    return {};
  }
  const auto count = users::parse_count(key, **text, 1, most);
  if (!count) return fail(count);
  out = *count;
  return {};
}

Result<void> take_rate(const Json& json, const std::string& key,
                       std::optional<std::uint64_t>& out) {
  if (!json.contains(key)) return {};
  const auto text = value_of(json, key);
  if (!text) return fail(text);
  out.reset();
  if (!*text) return {};
  const auto rate = users::parse_rate(key, **text);
  if (!rate) return fail(rate);
  out = *rate;
  return {};
}

// A text, or a number of bytes.
Result<void> take_quota_bytes(const Json& json, std::optional<users::Quota>& quota) {
  const bool is_number = json.at("quota").is_number_integer();
  const auto text = value_of(json, "quota");
  if (!text) return fail(text);
  if (!*text) {
    quota.reset();
    return {};
  }
  const auto bytes = users::parse_size("quota", is_number ? **text + "b" : **text);
  if (!bytes) return fail(bytes);
  if (!quota) quota.emplace();
  quota->bytes = *bytes;
  return {};
}

Result<void> take_quota(const Json& json, std::optional<users::Quota>& quota) {
  if (json.contains("quota")) {
    if (auto ok = take_quota_bytes(json, quota); !ok) return ok;
  }
  for (const char* const key : {"quota_reset_day", "quota_action"}) {
    if (json.contains(key) && !quota) return refuse(std::string(key) + ": there is no quota here");
  }
  std::optional<std::uint64_t> day;
  if (auto ok = take_count(json, "quota_reset_day", 28, day); !ok) return ok;
  if (json.contains("quota_reset_day")) quota->reset_day = static_cast<int>(day.value_or(1));
  if (!json.contains("quota_action")) return {};
  const auto action = value_of(json, "quota_action");
  if (!action) return fail(action);
  quota->then.reset();
  if (!*action || *action == kBlock) return {};
  const auto rate = users::parse_rate("quota_action", **action);
  if (!rate) return refuse(rate.error().message + ", or block, until the reset day");
  quota->then = *rate;
  return {};
}

using Keys = std::vector<std::string>;

Keys joined(Keys first, const Keys& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

// Of a group, and of a user, who has others beside.
const Keys kLimits = {
    "up", "down", "max_devices", "max_sessions", "quota", "quota_reset_day", "quota_action"};
const Keys kSettings = joined({"enabled", "expires", "group"}, kLimits);

Result<void> take_limits(const Json& json, Limits& limits) {
  if (auto ok = take_rate(json, "up", limits.up); !ok) return ok;
  if (auto ok = take_rate(json, "down", limits.down); !ok) return ok;
  if (auto ok = take_quota(json, limits.quota); !ok) return ok;
  if (auto ok = take_count(json, "max_devices", users::kMaxDevicesOfUser, limits.max_devices);
      !ok) {
    return ok;
  }
  return take_count(json, "max_sessions", kMaxSessions, limits.max_sessions);
}

Result<void> take_settings(const Json& json, std::int64_t now, users::User& user) {
  if (json.contains("enabled")) {
    const auto enabled = flag_in(json, "enabled");
    if (!enabled) return fail(enabled);
    user.is_enabled = *enabled;
  }
  if (json.contains("expires")) {
    const auto text = value_of(json, "expires");
    if (!text) return fail(text);
    user.expires.reset();
    if (*text) {
      const auto time = users::parse_time("expires", **text, now);
      if (!time) return fail(time);
      user.expires = *time;
    }
  }
  if (json.contains("group")) {
    const auto group = value_of(json, "group");
    if (!group) return fail(group);
    if (*group) {
      if (auto ok = users::check_name("group", **group); !ok) return ok;
    }
    user.group = group->value_or("");
  }
  return take_limits(json, user.limits);
}

// For the log of changes; nothing of a change is a secret but what devices have.
std::string settings_in_words(const Json& json) {
  std::string words;
  for (const std::string& key : kSettings) {  // a group's are among them
    if (json.contains(key)) words += " " + key + "=" + text_of(json[key]);
  }
  return words;
}

// --- devices ---

// Secrets that are told once, to whoever asked for the device.
Json told(const User& user, const Device& device, const std::string& secret) {
  Json json = {{"user", user.name}, {"device", json_of(device, {})}};
  if (!device.token.empty()) json["token"] = device.token;
  if (device.login) json["secret"] = secret;
  if (device.psk) json["psk"] = wire::psk_text(*device.psk);
  return json;
}

// 192 bits in letters that need no quoting, and that are no option of a command.
std::string make_secret(Random& random) {
  std::string secret;
  do {
    secret = wire::encode_base64url(random.bytes<24>());
  } while (secret[0] == '-');
  return secret;
}

Result<wire::Ed25519PublicKey> key_in(const Json& json) {
  const auto text = value_of(json, "key");
  if (!text) return fail(text);
  const auto key = wire::parse_public_key(text->value_or(""));
  if (key) return *key;
  const bool is_private = text->value_or("").starts_with("ed25519-private:");
  return refuse(is_private
                    ? "key: this is a private key, which stays on its device; give the line "
                      "with ed25519: that qdt-client key prints"
                    : "key: expected ed25519: and 43 characters of base64, as qdt-client key "
                      "prints it on the device");
}

// Nothing: null, `none`, or not given.
Result<std::optional<IpAddress>> address_in(const Json& json,
                                            const std::optional<users::Addresses>& addresses) {
  if (!json.contains("address")) return std::nullopt;
  const auto text = value_of(json, "address");
  if (!text) return fail(text);
  if (!*text) return std::nullopt;
  if (!addresses) {
    return refuse("address: the pool is not known, for the configuration cannot be read");
  }
  const auto address = users::parse_address("address", **text, *addresses);
  if (!address) return fail(address);
  return *address;
}

// What its group says. An error is the store's.
Result<Limits> defaults_of(Edit& edit, const User& user) {
  if (user.group.empty()) return Limits();
  const auto group = edit.find_group(user.group);
  if (!group) return fail(group);
  return *group ? (*group)->limits : Limits();
}

void give_login(Device& device, std::string name, const std::string& secret) {
  device.login = {.name = std::move(name), .secret_digest = wire::secret_digest(secret)};
}

}  // namespace

ops::HttpResponse UserApi::answer(const UserRequest& request) {
  try {
    auto text = answer_text(request);
    return text ? control::answer(std::move(*text)) : refusal(text.error());
  } catch (const Json::exception&) {
    return refusal({"the body is not as it has to be", ErrorCode::kInvalidArgument});
  }
}

Result<std::string> UserApi::answer_text(const UserRequest& request) {
  constexpr std::string_view kUsers = "/v1/users";
  constexpr std::string_view kGroups = "/v1/groups";
  constexpr std::string_view kDevices = "/v1/devices";
  constexpr std::string_view kInvitations = "/v1/invitations";
  const bool gets = request.method == "GET" || request.method == "HEAD";
  const bool posts = request.method == "POST";
  const bool removes = request.method == "DELETE";
  if (!posts && !request.body.empty()) return refuse("this request has no body");
  if (request.path == kUsers && gets) return list_users();
  if (request.path == kUsers && posts) return add_user(request);
  if (request.path == kGroups && gets) return list_groups();
  if (request.path == kGroups && posts) return add_group(request);
  if (request.path == "/v1/deeds" && gets) return list_deeds();
  constexpr std::string_view kUsage = "/v1/usage";
  if (request.path == kUsage && gets) return show_usage("");
  if (request.path.starts_with(std::string(kUsage) + "/") && gets) {
    return show_usage(request.path.substr(kUsage.size() + 1));
  }
  if (request.path == kInvitations && posts) return invite(request);
  if (request.path.starts_with(std::string(kInvitations) + "/") && removes) {
    const std::string name = request.path.substr(kInvitations.size() + 1);
    if (const auto ok = users::check_name("the user's name", name); !ok) return fail(ok);
    return cancel_invitations(request, name);
  }
  if (request.path == kDevices && posts) return add_device(request);
  if (request.path.starts_with(std::string(kUsers) + "/")) {
    const std::string name = request.path.substr(kUsers.size() + 1);
    if (const auto ok = users::check_name("the user's name", name); !ok) return fail(ok);
    if (gets) return show_user(name);
    if (posts) return set_user(request, name);
    if (removes) return remove_user(request, name);
  }
  if (request.path.starts_with(std::string(kGroups) + "/")) {
    const std::string name = request.path.substr(kGroups.size() + 1);
    if (const auto ok = users::check_name("the group's name", name); !ok) return fail(ok);
    if (gets) return show_group(name);
    if (posts) return set_group(request, name);
    if (removes) return remove_group(request, name);
  }
  if (request.path.starts_with(std::string(kDevices) + "/")) {
    const auto id = wire::parse_session_id(request.path.substr(kDevices.size() + 1));
    if (!id) return refuse("a device's ID has 16 hexadecimal digits, as /v1/users shows it");
    if (posts) return post_device(request, *id);
    if (removes) return remove_device(request, *id);
  }
  return refuse(request.method + " is not for " + request.path);
}

Result<std::optional<UserApi::Version>> UserApi::contents_unless(std::uint64_t version) {
  constexpr int kRevisionBits = 40;
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return std::nullopt;
  const auto revision = (*store)->revision();
  if (!revision) return fail(revision);
  if ((file_.generation() << kRevisionBits | *revision) == version) return std::nullopt;
  const auto contents = (*store)->read();
  if (!contents) return fail(contents);
  return Version{.number = file_.generation() << kRevisionBits | contents->revision,
                 .contents = users::encode_contents(*contents)};
}

Result<std::string> UserApi::list_users() {
  Json all = Json::array();
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store != nullptr) {
    const auto contents = (*store)->read();
    if (!contents) return fail(contents);
    const auto facts = users::user_facts(**store, *contents, now_());
    if (!facts) return fail(facts);
    std::unordered_map<std::string_view, const Limits*> groups;
    for (const Group& group : contents->groups) groups.emplace(group.name, &group.limits);
    for (const User& user : contents->users) {
      const auto group = groups.find(user.group);
      all.push_back(
          json_of(user, group == groups.end() ? Limits() : *group->second, now_(), *facts));
    }
  }
  return text_of({{"users", std::move(all)}});
}

Result<UserApi::Member> UserApi::read_user(const std::string& name) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return unknown("user " + name);
  const auto contents = (*store)->read();
  if (!contents) return fail(contents);
  const auto found = std::ranges::find(contents->users, name, &User::name);
  if (found == contents->users.end()) return unknown("user " + name);
  const auto group = std::ranges::find(contents->groups, found->group, &Group::name);
  return Member{*found, group == contents->groups.end() ? Limits() : group->limits};
}

Result<std::string> UserApi::show_user(const std::string& name) {
  const auto user = read_user(name);
  if (!user) return fail(user);
  return text_of(json_of(user->user, user->defaults, now_(), facts_of(*user)));
}

Result<std::string> UserApi::list_deeds() {
  Json all = Json::array();
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store != nullptr) {
    const auto deeds = (*store)->deeds(kMaxDeedsShown);
    if (!deeds) return fail(deeds);
    for (const users::Deed& deed : *deeds) {
      all.push_back({{"at", users::time_text(deed.at)}, {"who", deed.who}, {"what", deed.what}});
    }
  }
  return text_of({{"deeds", std::move(all)}});
}

Result<std::string> UserApi::add_user(const UserRequest& request) {
  const auto json = object_in(request.body, joined({"name"}, kSettings));
  if (!json) return fail(json);
  const auto name = name_in(*json, "name");
  if (!name) return fail(name);
  User user{.id = new_id(), .name = *name, .created = now_()};
  if (const auto ok = take_settings(*json, now_(), user); !ok) return fail(ok);
  const auto store = file_.find_or_make();
  if (!store) return fail(store);
  Limits defaults;
  const auto changed = (*store)->change(
      {.at = now_(), .who = request.who, .what = "user add " + *name + settings_in_words(*json)},
      [&](Edit& edit) -> Result<void> {
        if (auto ok = edit.put_user(user); !ok) return ok;
        auto found = defaults_of(edit, user);
        if (!found) return fail(found);
        defaults = std::move(*found);
        return {};
      });
  if (!changed) return fail(changed);
  return text_of(json_of(user, defaults, now_(), {}));
}

template <typename Find, typename Work>
Result<User> UserApi::change(const users::Deed& deed, const std::string& what, Find find,
                             Work work) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return unknown(what);
  std::optional<User> user;
  const auto changed = (*store)->change(deed, [&](Edit& edit) -> Result<void> {
    auto found = find(edit);
    if (!found) return fail(found);
    if (!*found) return unknown(what);
    user = std::move(*found);
    return work(edit, *user);
  });
  if (!changed) return fail(changed);
  return std::move(*user);
}

template <typename Work>
Result<UserApi::Member> UserApi::change_user(const UserRequest& request, const std::string& name,
                                             const std::string& deed, Work work) {
  Member member;
  auto user = change(
      {.at = now_(), .who = request.who, .what = deed}, "user " + name,
      [&](Edit& edit) { return edit.find_user(name); },
      [&](Edit& edit, User& one) -> Result<void> {
        Result<void> ok = work(one);
        if (ok) ok = edit.put_user(one);
        if (!ok) return ok;
        auto defaults = defaults_of(edit, one);
        if (!defaults) return fail(defaults);
        member.defaults = std::move(*defaults);
        return {};
      });
  if (!user) return fail(user);
  member.user = std::move(*user);
  return member;
}

template <typename Work>
Result<User> UserApi::change_device(const UserRequest& request, std::uint64_t id, const char* deed,
                                    Work work) {
  const std::string text = wire::session_id_text(id);
  return change(
      {.at = now_(), .who = request.who, .what = deed + text}, "device " + text,
      [&](Edit& edit) { return edit.find_owner(id); },
      [&](Edit& edit, User& user) {
        const Result<void> ok = work(user, *std::ranges::find(user.devices, id, &Device::id));
        return ok ? edit.put_user(user) : ok;
      });
}

Result<std::string> UserApi::set_user(const UserRequest& request, const std::string& name) {
  const auto json = object_in(request.body, kSettings);
  if (!json) return fail(json);
  if (json->empty()) return refuse("nothing to set; there are " + list_in_words(kSettings));
  const auto user = change_user(request, name, "user set " + name + settings_in_words(*json),
                                [&](User& one) { return take_settings(*json, now_(), one); });
  if (!user) return fail(user);
  // It is changed, whatever is known of its usage.
  return text_of(json_of(user->user, user->defaults, now_(), facts_of(*user)));
}

users::UserFacts UserApi::facts_of(const Member& member) {
  users::UserFacts facts;
  const auto store = file_.find();
  if (!store || *store == nullptr) return facts;
  const User& user = member.user;
  return users::user_facts(
             **store,
             {.users = {user}, .groups = {{.name = user.group, .limits = member.defaults}}}, now_(),
             user.id)
      .value_or(facts);
}

Result<std::string> UserApi::remove_user(const UserRequest& request, const std::string& name) {
  // Its usage goes with it.
  const auto before = read_user(name);
  const users::UserFacts facts = before ? facts_of(*before) : users::UserFacts();
  const auto user = change(
      {.at = now_(), .who = request.who, .what = "user remove " + name}, "user " + name,
      [&](Edit& edit) { return edit.find_user(name); },
      [](Edit& edit, const User& one) { return edit.remove_user(one.id); });
  if (!user) return fail(user);
  return text_of(json_of(*user, before ? before->defaults : Limits(), now_(), facts));
}

// --- groups ---

Result<std::string> UserApi::list_groups() {
  Json all = Json::array();
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store != nullptr) {
    const auto contents = (*store)->read();
    if (!contents) return fail(contents);
    std::unordered_map<std::string_view, Json> users;
    for (const User& user : contents->users) users[user.group].push_back(user.name);
    for (const Group& group : contents->groups) {
      const auto its = users.find(group.name);
      all.push_back(json_of(group, its == users.end() ? Json::array() : its->second));
    }
  }
  return text_of({{"groups", std::move(all)}});
}

Result<std::string> UserApi::show_group(const std::string& name) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return unknown("group " + name);
  const auto contents = (*store)->read();
  if (!contents) return fail(contents);
  const auto found = std::ranges::find(contents->groups, name, &Group::name);
  if (found == contents->groups.end()) return unknown("group " + name);
  Json users = Json::array();
  for (const User& user : contents->users) {
    if (user.group == name) users.push_back(user.name);
  }
  return text_of(json_of(*found, std::move(users)));
}

Result<std::string> UserApi::add_group(const UserRequest& request) {
  const auto json = object_in(request.body, joined({"name"}, kLimits));
  if (!json) return fail(json);
  const auto name = name_in(*json, "name");
  if (!name) return fail(name);
  Group group{.name = *name, .limits = {}};
  if (const auto ok = take_limits(*json, group.limits); !ok) return fail(ok);
  const auto store = file_.find_or_make();
  if (!store) return fail(store);
  const auto changed = (*store)->change(
      {.at = now_(), .who = request.who, .what = "group add " + *name + settings_in_words(*json)},
      [&](Edit& edit) -> Result<void> {
        const auto twin = edit.find_group(*name);
        if (!twin) return fail(twin);
        if (*twin) return refuse("there is a group " + *name + " already");
        return edit.put_group(group);
      });
  return changed ? Result<std::string>(text_of(json_of(group, Json::array()))) : fail(changed);
}

template <typename Work>
Result<void> UserApi::change_group(const users::Deed& deed, const std::string& name, Work work) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return unknown("group " + name);
  const auto changed = (*store)->change(deed, [&](Edit& edit) -> Result<void> {
    auto group = edit.find_group(name);
    if (!group) return fail(group);
    if (!*group) return unknown("group " + name);
    return work(edit, **group);
  });
  return changed ? Result<void>() : fail(changed);
}

Result<std::string> UserApi::set_group(const UserRequest& request, const std::string& name) {
  const auto json = object_in(request.body, kLimits);
  if (!json) return fail(json);
  if (json->empty()) return refuse("nothing to set; there are " + list_in_words(kLimits));
  const auto ok = change_group(
      {.at = now_(), .who = request.who, .what = "group set " + name + settings_in_words(*json)},
      name, [&](Edit& edit, Group& group) {
        const auto taken = take_limits(*json, group.limits);
        return taken ? edit.put_group(group) : taken;
      });
  return ok ? show_group(name) : fail(ok);
}

Result<std::string> UserApi::remove_group(const UserRequest& request, const std::string& name) {
  Group removed;
  const auto ok = change_group({.at = now_(), .who = request.who, .what = "group remove " + name},
                               name, [&](Edit& edit, const Group& group) {
                                 removed = group;
                                 return edit.remove_group(name);
                               });
  return ok ? Result<std::string>(text_of(json_of(removed, Json::array()))) : fail(ok);
}

// --- links ---

// Who is not there yet is added: the link is all that a person has to be given.
Result<std::string> UserApi::invite(const UserRequest& request) {
  const auto json = object_in(request.body, {"user", "expires"});
  if (!json) return fail(json);
  const auto name = name_in(*json, "user");
  if (!name) return fail(name);
  const auto text = json->contains("expires") ? value_of(*json, "expires") : std::optional("24h");
  if (!text) return fail(text);
  const auto expires = users::parse_time("expires", text->value_or("none"), now_());
  if (!expires) return fail(expires);
  if (*expires > now_() + users::kMaxTicketLife) {
    return refuse("expires: a link is good for a year at most");
  }
  const auto secret = random_.bytes<std::tuple_size_v<wire::TicketSecret>>();
  const users::Ticket ticket{.id = new_id(),
                             .key = wire::Ed25519Key(wire::derive_ticket_seed(secret)).public_key(),
                             .created = now_(),
                             .expires = *expires};
  const auto store = file_.find_or_make();
  if (!store) return fail(store);
  bool is_new = false;
  const auto changed = (*store)->change(
      {.at = now_(),
       .who = request.who,
       .what = "invite " + *name + " until " + users::time_text(*expires)},
      [&](Edit& edit) -> Result<void> {
        auto found = edit.find_user(*name);
        if (!found) return fail(found);
        is_new = !*found;
        if (!is_new && state_of(**found, now_()) != std::string_view("enabled")) {
          return refuse(
              "the user " + *name + " is " + state_of(**found, now_()) +
              ", and could not come in by a link; qdt-server user enable, or set --expires");
        }
        User user =
            std::move(*found).value_or(User{.id = new_id(), .name = *name, .created = now_()});
        users::forget_old_tickets(user, now_());
        user.tickets.push_back(ticket);
        return edit.put_user(user);
      });
  if (!changed) return fail(changed);
  return text_of({{"user", *name},
                  {"is_new", is_new},
                  {"ticket", wire::encode_base64url(secret)},
                  {"expires", users::time_text(*expires)}});
}

Result<std::string> UserApi::cancel_invitations(const UserRequest& request,
                                                const std::string& name) {
  std::size_t count = 0;
  const auto changed =
      change_user(request, name, "invite " + name + " cancelled", [&](User& user) -> Result<void> {
        for (users::Ticket& ticket : user.tickets) {
          if (ticket.device != 0 || ticket.expires <= now_()) continue;
          ticket.expires = now_();
          ++count;
        }
        return {};
      });
  if (!changed) return fail(changed);
  return text_of({{"user", name}, {"cancelled", count}});
}

wire::HandshakeResult UserApi::enrol(const users::Enrolment& enrolment) {
  using wire::HandshakeResult;
  const auto store = file_.find();
  if (!store) return HandshakeResult::kNotReady;
  if (*store == nullptr) return HandshakeResult::kLinkExpired;
  auto result = HandshakeResult::kNotReady;
  const std::string link = "link " + wire::session_id_text(enrolment.ticket);
  users::Deed deed{.at = now_(), .who = link};
  const auto changed = (*store)->change(deed, [&](Edit& edit) -> Result<void> {
    auto user = edit.find_invited(enrolment.ticket);
    if (!user) return fail(user);
    if (!*user) {
      result = HandshakeResult::kLinkExpired;  // it was known a moment ago
      return unknown(link);
    }
    const User before = **user;
    const auto defaults = defaults_of(edit, **user);
    if (!defaults) return fail(defaults);
    const std::uint64_t most =
        (*user)->limits.with_defaults(*defaults).max_devices.value_or(users::kMaxDevicesOfUser);
    result = users::enrol(**user, enrolment, new_id(), most, now_());
    if (result != HandshakeResult::kEnrolled || **user == before) return refuse("no change");
    deed.what = "device add " + before.name + " " + (*user)->devices.back().name;
    auto put = edit.put_user(**user);
    // All of the rest was looked at.
    if (!put && put.error().code == ErrorCode::kInvalidArgument) {
      result = HandshakeResult::kKeyInUse;
    } else if (!put) {
      result = HandshakeResult::kNotReady;
    }
    return put;
  });
  const bool is_lost = !changed && changed.error().code != ErrorCode::kInvalidArgument &&
                       changed.error().code != ErrorCode::kNotFound;
  return is_lost ? HandshakeResult::kNotReady : result;
}

Result<std::string> UserApi::add_device(const UserRequest& request) {
  const auto json =
      object_in(request.body, {"user", "name", "key", "token", "login", "psk", "address"});
  if (!json) return fail(json);
  const auto owner = name_in(*json, "user");
  if (!owner) return fail(owner);
  const auto name = name_in(*json, "name");
  if (!name) return fail(name);
  const auto has_token = flag_in(*json, "token");
  if (!has_token) return fail(has_token);
  const auto has_login = flag_in(*json, "login");
  if (!has_login) return fail(has_login);
  const auto has_psk = flag_in(*json, "psk");
  if (!has_psk) return fail(has_psk);
  const bool has_key = json->contains("key");
  if (has_key + *has_token + *has_login != 1) {
    return refuse("a device has one of key, token and login");
  }
  if (*has_psk && !has_key) return refuse("psk: only a device with a key has one beside");

  const auto address = address_in(*json, addresses_);
  if (!address) return fail(address);
  Device device{.id = new_id(), .name = *name, .address = *address, .created = now_()};
  std::string secret;
  if (has_key) {
    const auto key = key_in(*json);
    if (!key) return fail(key);
    device.key = *key;
  }
  if (*has_psk) device.psk = random_.bytes<wire::PresharedKey{}.size()>();
  if (*has_token) device.token = make_secret(random_);
  if (*has_login) {
    secret = make_secret(random_);
    give_login(device, *owner, secret);
  }
  const std::string deed = "device add " + *owner + " " + *name +
                           (*address ? " address=" + (*address)->to_string() : "");
  const auto user = change_user(request, *owner, deed, [&](User& one) -> Result<void> {
    one.devices.push_back(device);
    return {};
  });
  return user ? Result<std::string>(text_of(told(user->user, device, secret))) : fail(user);
}

Result<std::string> UserApi::post_device(const UserRequest& request, std::uint64_t id) {
  const auto json = object_in(request.body, {"key", "address"});
  if (!json) return fail(json);
  if (!json->contains("address")) return rotate_device(request, id);
  if (json->contains("key")) return refuse("key and address: one at a time");
  return set_device(request, id);
}

Result<std::string> UserApi::set_device(const UserRequest& request, std::uint64_t id) {
  const auto json = object_in(request.body, {"address"});
  if (!json) return fail(json);
  const auto address = address_in(*json, addresses_);
  if (!address) return fail(address);
  const std::string deed =
      "device set address=" + (*address ? (*address)->to_string() : "none") + " ";
  Device device;
  const auto user =
      change_device(request, id, deed.c_str(), [&](User&, Device& one) -> Result<void> {
        if (one.is_locked) {
          return refuse(
              "its secret cannot be read, for the key file is another; it is not changed");
        }
        one.address = *address;
        device = one;
        return {};
      });
  if (!user) return fail(user);
  return text_of({{"user", user->name}, {"device", json_of(device, {})}});
}

Result<std::string> UserApi::rotate_device(const UserRequest& request, std::uint64_t id) {
  const auto json = object_in(request.body, {"key"});
  if (!json) return fail(json);
  Device device;
  std::string secret;
  const auto user =
      change_device(request, id, "device rotate ", [&](User&, Device& one) -> Result<void> {
        const bool was_key = one.key.has_value();
        if (was_key != json->contains("key")) {
          return refuse(was_key ? "key is missing: the device makes its new one (qdt-client key)"
                                : "key: this device has a token or a secret, which are made here");
        }
        if (one.is_locked && was_key) {
          return refuse(
              "its PSK cannot be read, for the key file is another; remove the device, and "
              "add it again");
        }
        one.is_locked = false;
        if (was_key) {
          const auto key = key_in(*json);
          if (!key) return fail(key);
          if (*key == one.key) return refuse("key: it is the one that the device has already");
          one.key = *key;
          if (one.psk) one.psk = random_.bytes<wire::PresharedKey{}.size()>();
        } else if (one.login) {
          secret = make_secret(random_);
          give_login(one, one.login->name, secret);
        } else {
          one.token = make_secret(random_);
        }
        device = one;
        return {};
      });
  return user ? Result<std::string>(text_of(told(*user, device, secret))) : fail(user);
}

Result<std::string> UserApi::remove_device(const UserRequest& request, std::uint64_t id) {
  Device device;
  const auto user = change_device(
      request, id, "device remove ", [&](User& owner, const Device& one) -> Result<void> {
        device = one;
        std::erase_if(owner.devices, [id](const Device& other) { return other.id == id; });
        return {};
      });
  if (!user) return fail(user);
  return text_of({{"user", user->name}, {"device", json_of(device, {})}});
}

Result<std::string> UserApi::show_usage(const std::string& month) {
  const auto period = month.empty() ? users::period_of(now_()) : users::parse_month("month", month);
  if (!period) return fail(period);
  Json all = Json::array();
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store != nullptr) {
    const auto contents = (*store)->read();
    if (!contents) return fail(contents);
    const auto usage = (*store)->usage(*period);
    if (!usage) return fail(usage);
    const users::MonthUsage sums = users::sum_up(*period, *usage);
    std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> devices;
    for (const users::Usage& one : *usage) {
      auto& its = devices[one.user];  // they come by user and device
      if (one.user != 0 && (its.empty() || its.back() != one.device)) its.push_back(one.device);
    }
    if (devices.contains(0)) {
      all.push_back(usage_json({.id = 0, .name = users::kDefaultUser}, sums, {}));
    }
    for (const User& user : contents->users) {
      all.push_back(usage_json(user, sums, devices[user.id]));
    }
  }
  return text_of({{"month", users::month_text(*period)}, {"users", std::move(all)}});
}

Result<void> UserApi::count(const users::Counts& counts) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return fail("there are no users", ErrorCode::kNotFound);
  return (*store)->count(counts);
}

Result<std::vector<users::QuotaUse>> UserApi::quota_uses() {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return std::vector<users::QuotaUse>();
  const auto contents = (*store)->read();
  if (!contents) return fail(contents);
  const auto days = (*store)->days(users::first_day_of_quotas(now_()));
  if (!days) return fail(days);
  return users::quota_uses(*contents, *days, now_());
}

}  // namespace qdt::control
