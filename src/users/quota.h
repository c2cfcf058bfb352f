#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "users/model.h"

namespace qdt::users {

/// The month of a quota: from 00:00 UTC of its reset day to that of the next. In seconds since the
/// Unix epoch.
struct QuotaMonth {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool has(std::int64_t now) const { return begin <= now && now < end; }
  bool operator==(const QuotaMonth&) const = default;
};
QuotaMonth quota_month(int reset_day, std::int64_t now);

/// What the users of a store who have a quota have used of it. `days` are the sums of the store,
/// from 62 days before `now` on at the least.
std::vector<QuotaUse> quota_uses(const Contents& contents, const std::vector<DayUsage>& days,
                                 std::int64_t now);
/// The first of those days.
int first_day_of_quotas(std::int64_t now);

/// Whose quota is used up, as a running server knows it: what the store had when it was asked last,
/// and what was counted since. Pure. One thread.
class QuotaBook {
 public:
  /// The users have these quotas now. What they have used stays known; the store has to be asked
  /// for those who have one that they had not before.
  void use(const Contents& contents, std::int64_t now);
  /// A user has carried so many bytes more.
  void add(std::uint64_t user, std::uint64_t bytes);
  /// The store has all that was added, and says what was used.
  void correct(const std::vector<QuotaUse>& uses);
  /// Begins the months that begin; true if others have used theirs up than at the last call, or if
  /// one that is used up ends at another time.
  bool look(std::int64_t now);

  /// By their ids: when they may come in again.
  const std::unordered_map<std::uint64_t, std::int64_t>& used_up() const { return used_up_; }
  /// Whether the store knows better.
  bool has_to_ask() const { return has_to_ask_; }

 private:
  struct Entry {
    Quota quota;
    QuotaMonth month;
    std::uint64_t used = 0;
  };
  void follow(Entry& entry, std::int64_t now);

  std::unordered_map<std::uint64_t, Entry> entries_;
  std::unordered_map<std::uint64_t, std::int64_t> used_up_;
  bool has_to_ask_ = false;
};

}  // namespace qdt::users
