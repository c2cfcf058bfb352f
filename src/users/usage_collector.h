#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/meter.h"
#include "access/user_table.h"
#include "base/result.h"
#include "users/ledger.h"
#include "users/model.h"
#include "users/quota.h"

namespace qdt::users {

/// Takes what devices have carried from their meters to the store, and knows whose quota is used
/// up meanwhile. Any thread; only tell() waits for the store, and who collects meanwhile waits for
/// it. `now`: seconds since the Unix epoch, of a clock that may be set.
class UsageCollector {
 public:
  /// Of a store. May wait.
  struct StoreCalls {
    /// Store::count(); kNotFound: there is no store yet.
    std::function<Result<void>(const Counts&)> count;
    /// quota_uses() of what it has now.
    std::function<Result<std::vector<QuotaUse>>()> quota_uses;
  };
  UsageCollector(Ledger ledger, StoreCalls store)
      : ledger_(std::move(ledger)), store_(std::move(store)) {}

  /// Reads the meters of this table from now on; those of earlier ones as long as a session has
  /// them.
  void follow(access::UserTable::Snapshot users);
  /// The users have these quotas. Whose is used up, by ID, and when it begins anew.
  std::unordered_map<std::uint64_t, std::int64_t> use_quotas(const Contents& contents,
                                                             std::int64_t now);
  /// Reads the meters. True: other users have used up their quotas than at the last call, or
  /// use_quotas().
  bool collect(std::int64_t now);
  /// Whether tell() is to be called soon: the store knows of somebody's quota.
  bool has_to_ask() const;
  /// Tells the store what was collected, and asks it where has_to_ask(). What it does not take is
  /// told again.
  Result<void> tell();

  /// The table that it follows; null at first.
  access::UserTable::Snapshot users() const;

 private:
  // So that a message to another process has room for them.
  static constexpr std::size_t kMostAtOnce = 400;

  struct Followed {
    std::shared_ptr<access::Meter> meter;
    bool is_ours_alone = false;  // as it was at the last look
  };

  std::mutex count_mutex_;  // taken before the other
  Ledger ledger_;
  StoreCalls store_;

  mutable std::mutex mutex_;
  access::UserTable::Snapshot users_;
  std::vector<Followed> meters_;
  QuotaBook quotas_;
};

}  // namespace qdt::users
