#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "users/model.h"
#include "users/usage.h"
#include "wire/seal.h"

// What answers say of users, groups, devices and links, as JSON (docs/control.md). `now` is in
// seconds since the Unix epoch.

namespace qdt::control {

/// `disabled`, `expired` or `enabled`.
const char* state_of(const users::User& user, std::int64_t now);

/// All users of `contents`.
std::string users_json(const users::Contents& contents, std::int64_t now,
                       const users::UserFacts& facts);
/// One user. `group`: the limits of its group, which are shown where it has none of its own.
std::string user_json(const users::User& user, const users::Limits& group, std::int64_t now,
                      const users::UserFacts& facts);

/// All groups of `contents`, each with the names of its users.
std::string groups_json(const users::Contents& contents);
/// One group, and those of `users` who are in it.
std::string group_json(const users::Group& group, const std::vector<users::User>& users);

/// A device and its owner, without its secrets.
std::string device_json(const users::User& owner, const users::Device& device);
/// The same and its secrets, which are told once, to whoever asked for the device. `secret`: that
/// of its login.
std::string new_device_json(const users::User& owner, const users::Device& device,
                            const std::string& secret);

/// What each user of `contents` has used in a period (users::period_of()), of which `usage` is.
std::string usage_json(int period, const users::Contents& contents,
                       const std::vector<users::Usage>& usage);

std::string deeds_json(const std::vector<users::Deed>& deeds);

/// A link, whose ticket has this secret. `is_new`: the user was added for it.
std::string invitation_json(const std::string& user, bool is_new, const wire::TicketSecret& secret,
                            std::int64_t expires);
/// So many links of the user let nobody in any more.
std::string cancelled_json(const std::string& user, std::size_t count);

}  // namespace qdt::control
