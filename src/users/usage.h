#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "users/model.h"
#include "users/store.h"

namespace qdt::users {

/// What people are shown of a month: sums over all runs and servers, by the IDs of users and
/// devices. Who is not in it has used nothing.
struct MonthUsage {
  struct Ways {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    bool operator==(const Ways&) const = default;
  };
  int period = 0;                                   ///< 202611: November 2026, UTC
  std::unordered_map<std::uint64_t, Ways> users;    ///< with devices that are gone
  std::unordered_map<std::uint64_t, Ways> devices;  ///< 0: the configuration's
};

/// Of rows of one period.
MonthUsage sum_up(int period, const std::vector<Usage>& usage);

/// What else is shown of users: when devices were seen last, and what of quotas is used.
struct UserFacts {
  MonthUsage month;  ///< this one
  std::unordered_map<std::uint64_t, std::int64_t> seen;
  std::unordered_map<std::uint64_t, QuotaUse> quotas;
};

/// Of the users of `contents`, at `now`; of one alone, those of that one are enough.
Result<UserFacts> user_facts(Store& store, const Contents& contents, std::int64_t now,
                             Store::OneUser user = {});

}  // namespace qdt::users
