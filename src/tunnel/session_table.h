#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "base/role.h"
#include "tunnel/session.h"

namespace qdt::tunnel {

/// The sessions of a shard, owned here, found by the inner address that a packet is for. One
/// thread.
class SessionTable {
 public:
  /// On a server a packet goes to the session whose lease is its destination; on a client, to the
  /// one session there is.
  explicit SessionTable(Role role) : role_(role) {}

  /// On a server `session`'s addresses are not in the table yet. A client's sessions, one of which
  /// was set aside for the other, may have the same: servers lend them.
  Session& add(std::unique_ptr<Session> session);
  /// Takes the session out; it lives on in the caller's hands.
  std::unique_ptr<Session> remove(Session& session);

  /// Where a packet to `destination` goes; null when to nobody here.
  Session* route(const IpAddress& destination) const {
    if (role_ == Role::kClient) return sessions_.empty() ? nullptr : sessions_.front().get();
    return find(destination);
  }
  /// A server's, by either of its addresses.
  Session* find(const IpAddress& lease) const;

  std::size_t size() const { return sessions_.size(); }
  /// In no order; where one is removed, the last takes its index.
  Session& at(std::size_t index) const { return *sessions_[index]; }
  auto begin() const { return sessions_.begin(); }
  auto end() const { return sessions_.end(); }

 private:
  Role role_;
  std::vector<std::unique_ptr<Session>> sessions_;
  // IPv4 leases by their number: a cheaper hash than an address of either kind.
  std::unordered_map<std::uint32_t, Session*> by_v4_;
  std::unordered_map<IpAddress, Session*> by_v6_;
};

}  // namespace qdt::tunnel
