#include "users/usage_collector.h"

#include <unordered_set>
#include <utility>

namespace qdt::users {

void UsageCollector::follow(access::UserTable::Snapshot users) {
  std::vector<Followed> meters;
  std::unordered_set<const access::Meter*> known;
  for (const auto& user : users->users()) {
    for (const auto& meter : user->meters) {
      meters.push_back({meter});
      known.insert(meter.get());
    }
  }
  const std::scoped_lock lock(mutex_);
  for (Followed& one : meters_) {
    if (!known.contains(one.meter.get())) meters.push_back(std::move(one));
  }
  meters_ = std::move(meters);
  users_ = std::move(users);
}

std::unordered_map<std::uint64_t, std::int64_t> UsageCollector::use_quotas(const Contents& contents,
                                                                           std::int64_t now) {
  const std::scoped_lock lock(mutex_);
  quotas_.use(contents, now);
  quotas_.look(now);
  return quotas_.used_up();
}

bool UsageCollector::collect(std::int64_t now) {
  const std::scoped_lock lock(count_mutex_, mutex_);
  std::erase_if(meters_, [&](Followed& one) {
    access::Meter& meter = *one.meter;
    // Nobody else has had it since the last time: all that its last session has added is there now.
    const bool is_over = std::exchange(one.is_ours_alone, one.meter.use_count() == 1);
    const access::Meter::Reading reading = meter.take();
    ledger_.add(meter.user(), meter.device(), reading, now);
    quotas_.add(meter.user(), reading.up_bytes + reading.down_bytes);
    return is_over;
  });
  return quotas_.look(now);
}

bool UsageCollector::has_to_ask() const {
  const std::scoped_lock lock(mutex_);
  return quotas_.has_to_ask();
}

// While it runs, nothing is collected: the store's answer about quotas has all that was added.
Result<void> UsageCollector::tell() {
  const std::scoped_lock lock(count_mutex_);
  for (Counts counts = ledger_.untold(kMostAtOnce); !counts.is_empty();
       counts = ledger_.untold(kMostAtOnce)) {
    const auto ok = store_.count(counts);
    if (!ok && ok.error().code == ErrorCode::kNotFound) return {};
    if (!ok) return ok;
    ledger_.told(counts);
  }
  if (!has_to_ask()) return {};
  const auto uses = store_.quota_uses();
  if (!uses) return fail(uses);
  const std::scoped_lock quotas_lock(mutex_);
  quotas_.correct(*uses);
  return {};
}

access::UserTable::Snapshot UsageCollector::users() const {
  const std::scoped_lock lock(mutex_);
  return users_;
}

}  // namespace qdt::users
