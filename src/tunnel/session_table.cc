#include "tunnel/session_table.h"

#include <algorithm>
#include <cassert>

namespace qdt::tunnel {

Session& SessionTable::add(std::unique_ptr<Session> session) {
  assert(session->lease().is_v4() && find(session->lease()) == nullptr);
  by_v4_[session->lease().v4_number()] = session.get();
  if (session->lease6()) {
    assert(find(*session->lease6()) == nullptr);
    by_v6_[*session->lease6()] = session.get();
  }
  sessions_.push_back(std::move(session));
  return *sessions_.back();
}

std::unique_ptr<Session> SessionTable::remove(Session& session) {
  const auto found = std::ranges::find(sessions_, &session, &std::unique_ptr<Session>::get);
  if (found == sessions_.end()) return nullptr;
  by_v4_.erase(session.lease().v4_number());
  if (session.lease6()) by_v6_.erase(*session.lease6());
  std::unique_ptr<Session> removed = std::move(*found);
  sessions_.erase(found);
  return removed;
}

Session* SessionTable::find(const IpAddress& lease) const {
  if (lease.is_v4()) {
    const auto found = by_v4_.find(lease.v4_number());
    return found == by_v4_.end() ? nullptr : found->second;
  }
  const auto found = by_v6_.find(lease);
  return found == by_v6_.end() ? nullptr : found->second;
}

}  // namespace qdt::tunnel
