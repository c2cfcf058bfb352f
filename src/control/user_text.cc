#include "control/user_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/words.h"
#include "ops/text.h"
#include "users/text.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kOther = "the answer is not one of a qdt-server of this version";

// What comes from the socket may be anything; the library throws at what it is not.
template <typename Work>
auto read(std::string_view text, Work work) -> decltype(work(Json())) {
  try {
    return work(Json::parse(text));
  } catch (const Json::exception&) {
    return fail(kOther);
  }
}

std::string text(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (value.is_null()) return "-";
  return ops::printable(value.is_string() ? value.get<std::string>() : value.dump());
}

/// Rows of equal columns, as wide as they have to be.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const {
    std::string all;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += row[i] + std::string(width_of(i) - row[i].size() + 2, ' ');
      }
      all += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return all;
  }

 private:
  std::size_t width_of(std::size_t column) const {
    std::size_t width = 0;
    for (const auto& row : rows_) width = std::max(width, row[column].size());
    return width;
  }
  std::vector<std::vector<std::string>> rows_;
};

std::string proof_of(const Json& device) {
  if (device.at("locked").get<bool>()) return "locked: the key file is another";
  const std::string key = text(device, "key");
  return text(device, "kind") + (key == "-" ? "" : " " + key) +
         (device.at("psk").get<bool>() ? " and psk" : "");
}

std::string bytes_text(const Json& json, const char* key) {
  return bytes_in_words(json.at(key).get<std::uint64_t>());
}

std::vector<std::string> usage_row(std::string user, std::string device, const Json& usage) {
  const auto total = usage.at("up").get<std::uint64_t>() + usage.at("down").get<std::uint64_t>();
  return {std::move(user), std::move(device), bytes_text(usage, "up"), bytes_text(usage, "down"),
          bytes_in_words(total)};
}

// A group of a user's, where it has one; a server of an older version does not say.
std::string group_of(const Json& user) {
  const Json group = user.value("group", Json());
  return group.is_string() ? ops::printable(group.get<std::string>()) : "-";
}

// Where a user has that limit by its group.
std::string origin_of(const Json& json, const char* key) {
  const Json inherited = json.value("from_group", Json::array());
  return std::ranges::find(inherited, key) == inherited.end() ? "" : " by its group";
}

// Of a user or a group, but for the quota.
std::vector<std::string> limits_in_words(const Json& json) {
  std::vector<std::string> all;
  for (const char* way : {"up", "down"}) {
    if (json.at(way).is_null()) continue;
    all.push_back("at most " + users::rate_text(json.at(way).get<std::uint64_t>()) + " " + way +
                  origin_of(json, way));
  }
  if (!json.at("max_devices").is_null()) {
    all.push_back("at most " + text(json, "max_devices") + " devices" +
                  origin_of(json, "max_devices"));
  }
  if (!json.at("max_sessions").is_null()) {
    all.push_back("at most " + text(json, "max_sessions") + " sessions" +
                  origin_of(json, "max_sessions"));
  }
  return all;
}

std::vector<std::string> limits_of_group(const Json& group) {
  auto all = limits_in_words(group);
  if (!group.at("quota").is_null()) {
    all.push_back("quota of " + bytes_text(group, "quota") + " a month each, anew on day " +
                  text(group, "quota_reset_day"));
  }
  return all;
}

Result<const Json*> find_usage(const Json& json, std::string_view user) {
  for (const Json& one : json.at("users")) {
    if (one.at("name").get<std::string>() == user) return &one;
  }
  return fail("there is no user " + std::string(user), ErrorCode::kNotFound);
}

void add_devices(Table& table, const Json& user) {
  for (const Json& device : user.at("devices")) {
    const Json address = device.value("address", Json());  // of an older server: none
    table.add({text(user, "name"), text(device, "name"),
               address.is_string() ? ops::printable(address.get<std::string>()) : "-",
               text(device, "created"), text(device, "last_seen"), proof_of(device)});
  }
}

}  // namespace

Result<std::string> describe_users(std::string_view users) {
  return read(users, [](const Json& json) -> Result<std::string> {
    if (json.at("users").empty()) {
      return "no users but the configuration's; qdt-server user add NAME adds one\n";
    }
    Table table({"USER", "STATE", "GROUP", "EXPIRES", "DEVICES", "MAX SESSIONS"});
    for (const Json& user : json.at("users")) {
      table.add({text(user, "name"), text(user, "state"), group_of(user), text(user, "expires"),
                 std::to_string(user.at("devices").size()), text(user, "max_sessions")});
    }
    return table.text();
  });
}

Result<std::string> describe_user(std::string_view user) {
  return read(user, [](const Json& json) -> Result<std::string> {
    std::string all =
        text(json, "name") + ": " + text(json, "state") + ", since " + text(json, "created") + "\n";
    if (!json.at("expires").is_null()) all += "expires " + text(json, "expires") + "\n";
    if (const std::string group = group_of(json); group != "-") {
      all += "in the group " + group + "\n";
    }
    for (const std::string& limit : limits_in_words(json)) all += limit + "\n";
    for (const Json& link : json.value("open_links", Json::array())) {
      all +=
          "a link that was not used, good until " + ops::printable(link.get<std::string>()) + "\n";
    }
    if (!json.at("quota").is_null()) {
      all += "quota of " + bytes_text(json, "quota") + " a month" + origin_of(json, "quota") +
             ", of which " + bytes_text(json, "quota_used") + " are used; anew on " +
             text(json, "quota_resets") + "\n";
    }
    const Json& usage = json.at("usage");
    all += text(json, "month") + ": " + bytes_text(usage, "up") + " from it, " +
           bytes_text(usage, "down") + " to it\n";
    if (json.at("devices").empty()) return all + "no devices: it cannot come in yet\n";
    Table table({"USER", "DEVICE", "ADDRESS", "SINCE", "LAST SEEN", "PROVES ITSELF BY"});
    add_devices(table, json);
    return all + table.text();
  });
}

Result<std::string> describe_groups(std::string_view groups) {
  return read(groups, [](const Json& json) -> Result<std::string> {
    if (json.at("groups").empty()) return "no groups; qdt-server group add NAME adds one\n";
    Table table({"GROUP", "USERS", "LIMITS OF EACH USER"});
    for (const Json& group : json.at("groups")) {
      std::string limits;
      for (const std::string& limit : limits_of_group(group)) {
        limits += (limits.empty() ? "" : ", ") + limit;
      }
      table.add({text(group, "name"), std::to_string(group.at("users").size()),
                 limits.empty() ? "-" : limits});
    }
    return table.text();
  });
}

Result<std::string> describe_group(std::string_view group) {
  return read(group, [](const Json& json) -> Result<std::string> {
    std::string all = text(json, "name") + ", for each user in it without a limit of its own:\n";
    const auto limits = limits_of_group(json);
    for (const std::string& limit : limits) all += limit + "\n";
    if (limits.empty()) all += "no limits\n";
    std::string users;
    for (const Json& user : json.at("users")) {
      users += (users.empty() ? "users: " : ", ") + ops::printable(user.get<std::string>());
    }
    return all + (users.empty() ? "no users are in it" : users) + "\n";
  });
}

Result<std::string> describe_devices(std::string_view users) {
  return read(users, [](const Json& json) -> Result<std::string> {
    Table table({"USER", "DEVICE", "ADDRESS", "SINCE", "LAST SEEN", "PROVES ITSELF BY"});
    if (json.contains("users")) {
      for (const Json& user : json.at("users")) add_devices(table, user);
    } else {
      add_devices(table, json);
    }
    return table.text();
  });
}

Result<std::string> describe_usage(std::string_view usage, std::string_view user) {
  return read(usage, [&](const Json& json) -> Result<std::string> {
    if (user.empty() && json.at("users").empty()) return text(json, "month") + ": no users\n";
    Table table({"USER", "DEVICE", "UP", "DOWN", "BOTH"});
    if (user.empty()) {
      for (const Json& one : json.at("users")) {
        table.add(usage_row(text(one, "name"), "all", one));
      }
    } else {
      const auto found = find_usage(json, user);
      if (!found) return fail(found);
      table.add(usage_row(text(**found, "name"), "all", **found));
      for (const Json& device : (*found)->at("devices")) {
        table.add(usage_row(text(**found, "name"),
                            device.at("name").is_null() ? "(removed)" : text(device, "name"),
                            device));
      }
    }
    return text(json, "month") + " (UTC)\n" + table.text();
  });
}

Result<std::string> usage_of(std::string_view usage, std::string_view user) {
  return read(usage, [&](const Json& json) -> Result<std::string> {
    const auto found = find_usage(json, user);
    if (!found) return fail(found);
    const Json one = {{"month", json.at("month")}, {"users", Json::array({**found})}};
    return one.dump(-1, ' ', false, Json::error_handler_t::replace);
  });
}

Result<std::string> describe_deeds(std::string_view deeds) {
  return read(deeds, [](const Json& json) -> Result<std::string> {
    Table table({"WHEN", "WHO", "WHAT"});
    for (const Json& deed : json.at("deeds")) {
      table.add({text(deed, "at"), text(deed, "who"), text(deed, "what")});
    }
    return table.text();
  });
}

Result<std::string> describe_secrets(std::string_view told, DeviceChange change) {
  return read(told, [&](const Json& json) -> Result<std::string> {
    const Json& device = json.at("device");
    const std::string kind = text(device, "kind");
    std::string all =
        "device " + text(device, "name") + " of " + text(json, "user") +
        (change == DeviceChange::kAdded ? " is added"
                                        : " has another " + (kind == "login" ? "secret" : kind));
    if (json.contains("token")) {
      return all + "; for its client.yaml, and shown this once:\ntoken: " + text(json, "token") +
             "\n";
    }
    if (json.contains("secret")) {
      return all + "; for its client, and shown this once:\nname: " + text(device, "login") +
             "\nsecret: " + text(json, "secret") + "\n";
    }
    if (json.contains("psk")) {
      return all + "; for its client.yaml, and shown this once:\npsk: " + text(json, "psk") + "\n";
    }
    return all + "\n";
  });
}

Result<std::string> device_id(std::string_view user, std::string_view name) {
  return read(user, [&](const Json& json) -> Result<std::string> {
    for (const Json& device : json.at("devices")) {
      if (device.at("name").get<std::string>() == name) return device.at("id").get<std::string>();
    }
    return fail("there is no device " + std::string(name) + " of " + text(json, "name"),
                ErrorCode::kNotFound);
  });
}

}  // namespace qdt::control
