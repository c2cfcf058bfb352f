#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/user_table.h"
#include "users/model.h"

namespace qdt::users {

/// Why a user whom the store has may not come in.
enum class Absence : std::uint8_t { kDisabled, kExpired, kHasNoDevice, kQuotaIsUsedUp };

/// Who may come in at a time, as access/ has it, and who may not.
struct Roster {
  std::vector<access::UserTable::Entry> entries;  ///< users with a device
  std::unordered_map<std::string, Absence> absent;
  /// Then another roster is due, for somebody expires or may come in again; nothing: never.
  std::optional<std::int64_t> next_change;
  /// Those of devices, also of users who may not come in now: nobody else is lent one of them.
  std::vector<IpAddress> addresses;
};

/// `general` are the limits of every user, but for those of his own. A device that is
/// locked is left out. `used_up`: whose quota is, by ID, and when it begins anew.
Roster roster_at(const Contents& contents, const access::UserLimits& general, std::int64_t now,
                 const std::unordered_map<std::uint64_t, std::int64_t>& used_up = {});

}  // namespace qdt::users
