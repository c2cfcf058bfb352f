#include "users/usage.h"

#include "users/quota.h"
#include "users/text.h"

namespace qdt::users {

MonthUsage sum_up(int period, const std::vector<Usage>& usage) {
  MonthUsage month{.period = period, .users = {}, .devices = {}};
  for (const Usage& one : usage) {
    for (MonthUsage::Ways* const ways : {&month.users[one.user], &month.devices[one.device]}) {
      ways->up += one.up;
      ways->down += one.down;
    }
  }
  return month;
}

Result<UserFacts> user_facts(Store& store, const Contents& contents, std::int64_t now,
                             Store::OneUser user) {
  const int period = period_of(now);
  const auto usage = store.usage(period, user);
  if (!usage) return fail(usage);
  UserFacts facts{.month = sum_up(period, *usage), .seen = {}, .quotas = {}};
  const auto sightings = store.sightings(user);
  if (!sightings) return fail(sightings);
  for (const Sighting& one : *sightings) facts.seen.emplace(one.device, one.at);
  const auto days = store.days(first_day_of_quotas(now), user);
  if (!days) return fail(days);
  for (const QuotaUse& one : quota_uses(contents, *days, now)) facts.quotas.emplace(one.user, one);
  return facts;
}

}  // namespace qdt::users
