#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "access/user_table.h"
#include "base/ip_address.h"
#include "base/time.h"
#include "server/session_walk.h"
#include "tunnel/tunnel.h"

namespace qdt::server {

/// Ends the sessions of a shard whose user or device is not in a table any more, some sessions at a
/// time, so that packets do not wait. Sessions of the configuration's user stay. A session with
/// another address than its device's, or with one that is another device's, ends as if it was
/// kicked: its client comes again at once, and gets the right one.
class EndWalk {
 public:
  /// Why users who are known may not stay, by name; others are removed.
  using Ends = std::unordered_map<std::string, tunnel::SessionEnd>;
  struct Rights {
    std::unordered_map<std::string, std::shared_ptr<const access::User>> users;
    Ends ends;
    std::set<IpAddress> fixed;
  };
  /// For the walks of all shards. `fixed`: LeaseBook::fix().
  static std::shared_ptr<const Rights> rights_of(const access::UserTable& users, const Ends& ends,
                                                 std::set<IpAddress> fixed = {});

  explicit EndWalk(std::shared_ptr<const Rights> rights) : rights_(std::move(rights)) {}

  /// Goes on; true once all have been looked at. A session that opens meanwhile is of the new
  /// table.
  bool step(tunnel::Tunnel& tunnel, Timestamp now);

 private:
  std::optional<tunnel::SessionEnd> end_of(const tunnel::Session& session) const;
  bool has_right_address(const tunnel::Session& session, const access::Device* device) const;

  std::shared_ptr<const Rights> rights_;
  SessionWalk walk_;
};

}  // namespace qdt::server
