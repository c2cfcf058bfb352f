#include "control/user_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "control/user_settings.h"
#include "users/quota.h"
#include "users/text.h"
#include "wire/base64.h"
#include "wire/key_text.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;
using users::Device;
using users::Group;
using users::Limits;
using users::User;
using users::UserFacts;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// --- limits ---

Json number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? Json(*number) : Json();
}

Json action_of(const users::Quota& quota) {
  return quota.then ? users::rate_text(*quota.then) : kBlock;
}

void add_limits(Json& json, const Limits& limits) {
  const auto& quota = limits.quota;
  json["up"] = number_or_null(limits.up);
  json["down"] = number_or_null(limits.down);
  json["max_devices"] = number_or_null(limits.max_devices);
  json["max_sessions"] = number_or_null(limits.max_sessions);
  json["quota"] = quota ? Json(quota->bytes) : Json();
  json["quota_reset_day"] = quota ? Json(quota->reset_day) : Json();
  json["quota_action"] = quota ? action_of(*quota) : Json();
}

// The keys of the limits that a user has by its group.
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

// --- users and devices ---

std::uint64_t used_of_quota(const User& user, const UserFacts& facts) {
  const auto use = facts.quotas.find(user.id);
  return use == facts.quotas.end() ? 0 : use->second.bytes;
}

// `limits`: in force, as below.
const char* state_by_quota(const User& user, const Limits& limits, std::int64_t now,
                           const UserFacts& facts) {
  const char* const state = state_of(user, now);
  const bool is_over = state == std::string_view("enabled") && limits.quota &&
                       used_of_quota(user, facts) >= limits.quota->bytes;
  return is_over ? "over_quota" : state;
}

void add_quota_use(Json& json, const User& user, const Limits& limits, std::int64_t now,
                   const UserFacts& facts) {
  const auto& quota = limits.quota;
  json["quota_used"] = quota ? Json(used_of_quota(user, facts)) : Json();
  json["quota_resets"] =
      quota ? Json(users::time_text(users::quota_month(quota->reset_day, now).end)) : Json();
}

// Who is not in it has used nothing.
Json ways_of(const std::unordered_map<std::uint64_t, users::MonthUsage::Ways>& all,
             std::uint64_t id) {
  const auto found = all.find(id);
  const auto ways = found == all.end() ? users::MonthUsage::Ways() : found->second;
  return {{"up", ways.up}, {"down", ways.down}};
}

const char* kind_of(const Device& device) {
  if (device.key) return "key";
  if (device.login) return "login";
  // A token that is locked cannot be read.
  return !device.token.empty() || device.is_locked ? "token" : "none";
}

Json json_of(const Device& device, const UserFacts& facts) {
  const auto seen = facts.seen.find(device.id);
  return {{"id", wire::session_id_text(device.id)},
          {"name", device.name},
          {"kind", kind_of(device)},
          {"key", device.key ? Json(wire::public_key_text(*device.key)) : Json()},
          {"login", device.login ? Json(device.login->name) : Json()},
          {"psk", device.psk.has_value()},
          {"locked", device.is_locked},
          {"address", device.address ? Json(device.address->to_string()) : Json()},
          {"created", users::time_text(device.created)},
          {"last_seen", seen == facts.seen.end() ? Json() : Json(users::time_text(seen->second))},
          {"usage", ways_of(facts.month.devices, device.id)}};
}

Json json_of(const User& owner, const Device& device) {
  return {{"user", owner.name}, {"device", json_of(device, {})}};
}

Json json_of(const User& user, const Limits& group, std::int64_t now, const UserFacts& facts) {
  Json devices = Json::array();
  for (const Device& device : user.devices) devices.push_back(json_of(device, facts));
  Json links = Json::array();
  for (const users::Ticket& ticket : user.tickets) {
    if (ticket.device == 0 && ticket.expires > now)
      links.push_back(users::time_text(ticket.expires));
  }
  const Limits limits = user.limits.with_defaults(group);
  Json json = {{"name", user.name},
               {"state", state_by_quota(user, limits, now, facts)},
               {"enabled", user.is_enabled},
               {"expires", user.expires ? Json(users::time_text(*user.expires)) : Json()},
               {"group", user.group.empty() ? Json() : Json(user.group)},
               {"from_group", from_group(user, group)}};
  add_limits(json, limits);
  add_quota_use(json, user, limits, now, facts);
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

// A device that is gone has no name.
Json usage_of(const User& user, const users::MonthUsage& month,
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

}  // namespace

const char* state_of(const User& user, std::int64_t now) {
  if (!user.is_enabled) return "disabled";
  return user.expires && *user.expires <= now ? "expired" : "enabled";
}

std::string users_json(const users::Contents& contents, std::int64_t now, const UserFacts& facts) {
  std::unordered_map<std::string_view, const Limits*> groups;
  for (const Group& group : contents.groups) groups.emplace(group.name, &group.limits);
  Json all = Json::array();
  for (const User& user : contents.users) {
    const auto group = groups.find(user.group);
    all.push_back(json_of(user, group == groups.end() ? Limits() : *group->second, now, facts));
  }
  return text_of({{"users", std::move(all)}});
}

std::string user_json(const User& user, const Limits& group, std::int64_t now,
                      const UserFacts& facts) {
  return text_of(json_of(user, group, now, facts));
}

std::string groups_json(const users::Contents& contents) {
  std::unordered_map<std::string_view, Json> users;
  for (const User& user : contents.users) users[user.group].push_back(user.name);
  Json all = Json::array();
  for (const Group& group : contents.groups) {
    const auto its = users.find(group.name);
    all.push_back(json_of(group, its == users.end() ? Json::array() : its->second));
  }
  return text_of({{"groups", std::move(all)}});
}

std::string group_json(const Group& group, const std::vector<User>& users) {
  Json names = Json::array();
  for (const User& user : users) {
    if (user.group == group.name) names.push_back(user.name);
  }
  return text_of(json_of(group, std::move(names)));
}

std::string device_json(const User& owner, const Device& device) {
  return text_of(json_of(owner, device));
}

std::string new_device_json(const User& owner, const Device& device, const std::string& secret) {
  Json json = json_of(owner, device);
  if (!device.token.empty()) json["token"] = device.token;
  if (device.login) json["secret"] = secret;
  if (device.psk) json["psk"] = wire::psk_text(*device.psk);
  return text_of(json);
}

std::string usage_json(int period, const users::Contents& contents,
                       const std::vector<users::Usage>& usage) {
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> devices;
  for (const users::Usage& one : usage) {
    auto& its = devices[one.user];  // they come by user and device
    if (one.user != 0 && (its.empty() || its.back() != one.device)) its.push_back(one.device);
  }
  const users::MonthUsage sums = users::sum_up(period, usage);
  Json all = Json::array();
  if (devices.contains(0)) {
    all.push_back(usage_of(User{.id = 0, .name = users::kDefaultUser}, sums, {}));
  }
  for (const User& user : contents.users) all.push_back(usage_of(user, sums, devices[user.id]));
  return text_of({{"month", users::month_text(period)}, {"users", std::move(all)}});
}

std::string deeds_json(const std::vector<users::Deed>& deeds) {
  Json all = Json::array();
  for (const users::Deed& deed : deeds) {
    all.push_back({{"at", users::time_text(deed.at)}, {"who", deed.who}, {"what", deed.what}});
  }
  return text_of({{"deeds", std::move(all)}});
}

std::string invitation_json(const std::string& user, bool is_new, const wire::TicketSecret& secret,
                            std::int64_t expires) {
  return text_of({{"user", user},
                  {"is_new", is_new},
                  {"ticket", wire::encode_base64url(secret)},
                  {"expires", users::time_text(expires)}});
}

std::string cancelled_json(const std::string& user, std::size_t count) {
  return text_of({{"user", user}, {"cancelled", count}});
}

}  // namespace qdt::control
