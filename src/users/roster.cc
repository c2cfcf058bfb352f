#include "users/roster.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "users/tickets.h"
#include "wire/session_id.h"

namespace qdt::users {
namespace {

// Those of its links among them.
std::vector<access::Device> devices_of(const User& user, std::int64_t now) {
  std::vector<access::Device> devices;
  for (const Ticket& one : user.tickets) {
    if (is_forgotten(one, now)) continue;
    devices.push_back({.name = wire::session_id_text(one.id), .key = one.key, .is_ticket = true});
  }
  for (const Device& one : user.devices) {
    if (one.is_locked) continue;
    devices.push_back({.name = one.name,
                       .token = one.token,
                       .key = one.key,
                       .psk = one.psk,
                       .server_seed = {},
                       .login = one.login,
                       .id = one.id,
                       .is_ticket = false,
                       .address = one.address});
  }
  return devices;
}

// Where 0 is any number.
std::uint64_t slower(std::uint64_t rate, std::uint64_t than) {
  return rate == 0 ? than : std::min(rate, than);
}

access::BitRates slower(const access::BitRates& rates, std::uint64_t than) {
  return {.up = slower(rates.up, than), .down = slower(rates.down, than)};
}

}  // namespace

Roster roster_at(const Contents& contents, const access::UserLimits& general, std::int64_t now,
                 const std::unordered_map<std::uint64_t, std::int64_t>& used_up) {
  std::unordered_map<std::string_view, const Limits*> groups;
  for (const Group& group : contents.groups) groups.emplace(group.name, &group.limits);
  Roster roster;
  const auto is_due_at = [&](std::int64_t time) {
    roster.next_change = std::min(roster.next_change.value_or(time), time);
  };
  for (const User& user : contents.users) {
    for (const Device& device : user.devices) {
      if (device.address) roster.addresses.push_back(*device.address);
    }
    if (!user.is_enabled) {
      roster.absent.emplace(user.name, Absence::kDisabled);
      continue;
    }
    if (user.expires && *user.expires <= now) {
      roster.absent.emplace(user.name, Absence::kExpired);
      continue;
    }
    if (user.expires) is_due_at(*user.expires);
    const auto group = groups.find(user.group);
    const Limits limits =
        group == groups.end() ? user.limits : user.limits.with_defaults(*group->second);
    const auto over = used_up.find(user.id);
    std::optional<std::uint64_t> rate_of_quota;
    if (over != used_up.end()) {
      is_due_at(over->second);
      if (limits.quota) rate_of_quota = limits.quota->then;
      if (!rate_of_quota) {
        roster.absent.emplace(user.name, Absence::kQuotaIsUsedUp);
        continue;
      }
    }
    auto devices = devices_of(user, now);
    if (devices.empty()) {
      roster.absent.emplace(user.name, Absence::kHasNoDevice);
      continue;
    }
    access::UserLimits own = general;
    if (limits.max_sessions) own.max_sessions = static_cast<std::size_t>(*limits.max_sessions);
    if (limits.up) own.bits.up = *limits.up;
    if (limits.down) own.bits.down = *limits.down;
    if (rate_of_quota) own.bits = slower(own.bits, *rate_of_quota);
    roster.entries.push_back({.name = user.name,
                              .token = {},
                              .devices = std::move(devices),
                              .limits = own,
                              .id = user.id});
  }
  return roster;
}

}  // namespace qdt::users
