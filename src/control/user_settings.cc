#include "control/user_settings.h"

#include <optional>
#include <utility>

#include "control/refuse.h"
#include "users/text.h"

namespace qdt::control {
namespace {

using Keys = std::vector<std::string>;

constexpr std::uint64_t kMaxSessions = 1'000'000;
constexpr std::uint64_t kLastResetDay = 28;

Keys joined(Keys first, const Keys& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

// Puts what `parse(key, text)` makes of the text into `value`, which is nothing where there is no
// text, and stays where there is no key.
template <typename T, typename Parse>
Result<void> take(const RequestBody& body, const std::string& key, std::optional<T>& value,
                  Parse parse) {
  if (!body.has(key)) return {};
  const auto text = body.text(key);
  if (!text) return fail(text);
  value.reset();
  if (!*text) return {};
  auto parsed = parse(key, **text);
  if (!parsed) return fail(parsed);
  value = std::move(*parsed);
  return {};
}

auto count_up_to(std::uint64_t most) {
  return [most](const std::string& key, const std::string& text) {
    return users::parse_count(key, text, 1, most);
  };
}

// Nothing: it blocks.
Result<std::optional<std::uint64_t>> parse_action(const std::string& key, const std::string& text) {
  if (text == kBlock) return std::nullopt;
  const auto rate = users::parse_rate(key, text);
  if (!rate) return refuse(rate.error().message + ", or block, until the reset day");
  return *rate;
}

Result<void> take_quota(const RequestBody& body, std::optional<users::Quota>& quota) {
  const users::Quota before = quota.value_or(users::Quota());
  const auto parse = [&](const std::string& key, const std::string& text) -> Result<users::Quota> {
    const auto bytes = users::parse_size(key, body.has_number(key) ? text + "b" : text);
    if (!bytes) return fail(bytes);
    users::Quota now = before;
    now.bytes = *bytes;
    return now;
  };
  if (auto ok = take(body, "quota", quota, parse); !ok) return ok;
  if (!quota) {
    for (const char* const key : {"quota_reset_day", "quota_action"}) {
      if (body.has(key)) return refuse(std::string(key) + ": there is no quota here");
    }
    return {};
  }
  std::optional<std::uint64_t> day = quota->reset_day;
  if (auto ok = take(body, "quota_reset_day", day, count_up_to(kLastResetDay)); !ok) return ok;
  quota->reset_day = static_cast<int>(day.value_or(1));
  return take(body, "quota_action", quota->then, parse_action);
}

}  // namespace

const Keys& limit_keys() {
  static const Keys keys = {
      "up", "down", "max_devices", "max_sessions", "quota", "quota_reset_day", "quota_action"};
  return keys;
}

const Keys& setting_keys() {
  static const Keys keys = joined({"enabled", "expires", "group"}, limit_keys());
  return keys;
}

Keys with_name(const Keys& keys) {
  return joined({"name"}, keys);
}

Result<void> take_limits(const RequestBody& body, users::Limits& limits) {
  if (auto ok = take(body, "up", limits.up, users::parse_rate); !ok) return ok;
  if (auto ok = take(body, "down", limits.down, users::parse_rate); !ok) return ok;
  if (auto ok = take_quota(body, limits.quota); !ok) return ok;
  const auto devices = count_up_to(users::kMaxDevicesOfUser);
  if (auto ok = take(body, "max_devices", limits.max_devices, devices); !ok) return ok;
  return take(body, "max_sessions", limits.max_sessions, count_up_to(kMaxSessions));
}

Result<void> take_settings(const RequestBody& body, std::int64_t now, users::User& user) {
  if (body.has("enabled")) {
    const auto enabled = body.flag("enabled");
    if (!enabled) return fail(enabled);
    user.is_enabled = *enabled;
  }
  const auto parse_time = [now](const std::string& key, const std::string& text) {
    return users::parse_time(key, text, now);
  };
  if (auto ok = take(body, "expires", user.expires, parse_time); !ok) return ok;
  std::optional<std::string> group = user.group;
  const auto parse_group = [](const std::string& key, const std::string& text) {
    const auto ok = users::check_name(key, text);
    return ok ? Result<std::string>(text) : fail(ok);
  };
  if (auto ok = take(body, "group", group, parse_group); !ok) return ok;
  user.group = group.value_or("");
  return take_limits(body, user.limits);
}

std::string settings_in_words(const RequestBody& body) {
  std::string words;
  for (const std::string& key : setting_keys()) {  // a group's are among them
    if (body.has(key)) words += " " + key + "=" + body.as_json(key);
  }
  return words;
}

}  // namespace qdt::control
