#include "users/usage_collector.h"

#include <atomic>
#include <unordered_set>
#include <utility>

namespace qdt::users {

void UsageCollector::follow(access::UserTable::Snapshot users) {
  std::vector<std::shared_ptr<access::Meter>> meters;
  std::unordered_set<const access::Meter*> known;
  for (const auto& user : users->users()) {
    for (const auto& meter : user->meters) {
      meters.push_back(meter);
      known.insert(meter.get());
    }
  }
  const std::scoped_lock lock(mutex_);
  for (auto& meter : meters_) {
    if (!known.contains(meter.get())) meters.push_back(std::move(meter));
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
  std::erase_if(meters_, [&](const std::shared_ptr<access::Meter>& meter) {
    // Nobody else has it: what its last session has added before it let go of it is there.
    const bool is_last = meter.use_count() == 1;
    std::atomic_thread_fence(std::memory_order_acquire);
    const access::Meter::Reading reading = meter->take();
    ledger_.add(meter->user(), meter->device(), reading, now);
    quotas_.add(meter->user(), reading.up_bytes + reading.down_bytes);
    return is_last;
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
