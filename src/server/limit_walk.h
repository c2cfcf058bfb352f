#pragma once

#include <memory>
#include <unordered_map>
#include <utility>

#include "access/user_table.h"
#include "base/time.h"
#include "server/session_walk.h"
#include "tunnel/session_table.h"

namespace qdt::server {

/// Gives the sessions of a shard the limits that a table has for their users, some sessions at a
/// time, so that packets do not wait. A session whose user is not in the table keeps its own.
class LimitWalk {
 public:
  /// The limits of each account of a table.
  using Limits = std::unordered_map<const access::Account*, access::UserLimits>;
  /// For the walks of all shards.
  static std::shared_ptr<const Limits> limits_of(const access::UserTable& users);

  explicit LimitWalk(std::shared_ptr<const Limits> limits) : limits_(std::move(limits)) {}

  /// Goes on; true once all have their limits. A session that opens meanwhile begins with those of
  /// the new table.
  bool step(const tunnel::SessionTable& sessions, Timestamp now);

 private:
  std::shared_ptr<const Limits> limits_;
  SessionWalk walk_;
};

}  // namespace qdt::server
