#include "users/quota.h"

#include <optional>
#include <string_view>
#include <utility>

#include "users/text.h"

namespace qdt::users {
namespace {

// The user's own, or the group's.
class Quotas {
 public:
  explicit Quotas(const Contents& contents) {
    for (const Group& group : contents.groups) {
      if (group.limits.quota) groups_.emplace(group.name, &*group.limits.quota);
    }
  }
  const Quota* find(const User& user) const {
    if (user.limits.quota) return &*user.limits.quota;
    const auto group = groups_.find(user.group);
    return group == groups_.end() ? nullptr : group->second;
  }

 private:
  std::unordered_map<std::string_view, const Quota*> groups_;
};

}  // namespace

QuotaMonth quota_month(int reset_day, std::int64_t now) {
  const int period = period_of(now, reset_day);
  return {.begin = begin_of_period(period, reset_day),
          .end = begin_of_period(next_period(period), reset_day)};
}

int first_day_of_quotas(std::int64_t now) {
  constexpr std::int64_t kLongest = 62 * std::int64_t{86400};
  return day_of(now - kLongest);
}

std::vector<QuotaUse> quota_uses(const Contents& contents, const std::vector<DayUsage>& days,
                                 std::int64_t now) {
  struct Asked {
    std::size_t place = 0;
    int first_day = 0;
  };
  const Quotas quotas(contents);
  std::vector<QuotaUse> uses;
  std::unordered_map<std::uint64_t, Asked> asked;
  for (const User& user : contents.users) {
    const Quota* const quota = quotas.find(user);
    if (quota == nullptr) continue;
    const QuotaMonth month = quota_month(quota->reset_day, now);
    asked.emplace(user.id, Asked{.place = uses.size(), .first_day = day_of(month.begin)});
    uses.push_back({.user = user.id, .begin = month.begin});
  }
  for (const DayUsage& day : days) {
    const auto one = asked.find(day.user);
    // Days that have not come are of a clock that was ahead: they count.
    if (one == asked.end() || day.day < one->second.first_day) continue;
    uses[one->second.place].bytes += day.bytes;
  }
  return uses;
}

void QuotaBook::use(const Contents& contents, std::int64_t now) {
  const Quotas quotas(contents);
  std::unordered_map<std::uint64_t, Entry> entries;
  for (const User& user : contents.users) {
    const Quota* const quota = quotas.find(user);
    if (quota == nullptr) continue;
    Entry entry{.quota = *quota, .month = quota_month(quota->reset_day, now)};
    const auto before = entries_.find(user.id);
    if (before != entries_.end()) entry.used = before->second.used;
    has_to_ask_ |= before == entries_.end() || before->second.month != entry.month;
    entries.emplace(user.id, entry);
  }
  entries_ = std::move(entries);
}

void QuotaBook::add(std::uint64_t user, std::uint64_t bytes) {
  const auto entry = entries_.find(user);
  if (entry != entries_.end()) entry->second.used += bytes;
}

void QuotaBook::correct(const std::vector<QuotaUse>& uses) {
  has_to_ask_ = false;
  for (const QuotaUse& one : uses) {
    const auto entry = entries_.find(one.user);
    if (entry == entries_.end()) continue;
    // Else it has another reset day, or the month has just ended.
    const bool is_same = entry->second.month.begin == one.begin;
    if (is_same) entry->second.used = one.bytes;
    has_to_ask_ |= !is_same;
  }
}

// The store is asked about a month that began, but nobody waits for it. Where the clock was set
// back, what is known stays until the store has said what was used in that month.
void QuotaBook::follow(Entry& entry, std::int64_t now) {
  if (entry.month.has(now)) return;
  if (now >= entry.month.end) entry.used = 0;
  entry.month = quota_month(entry.quota.reset_day, now);
  has_to_ask_ = true;
}

bool QuotaBook::look(std::int64_t now) {
  std::unordered_map<std::uint64_t, std::int64_t> used_up;
  for (auto& [user, entry] : entries_) {
    follow(entry, now);
    if (entry.used >= entry.quota.bytes) used_up.emplace(user, entry.month.end);
  }
  if (used_up == used_up_) return false;
  used_up_ = std::move(used_up);
  return true;
}

}  // namespace qdt::users
