#include "tunnel/session_table.h"

#include <cassert>
#include <utility>

namespace qdt::tunnel {

Session& SessionTable::add(std::unique_ptr<Session> session) {
  assert(session->lease().is_v4());
  if (role_ == Role::kServer) {
    assert(find(session->lease()) == nullptr);
    by_v4_[session->lease().v4_number()] = session.get();
    if (session->lease6()) {
      assert(find(*session->lease6()) == nullptr);
      by_v6_[*session->lease6()] = session.get();
    }
  }
  session->table_index = sessions_.size();
  sessions_.push_back(std::move(session));
  return *sessions_.back();
}

std::unique_ptr<Session> SessionTable::remove(Session& session) {
  const std::size_t index = session.table_index;
  if (index >= sessions_.size() || sessions_[index].get() != &session) return nullptr;
  if (role_ == Role::kServer) {
    by_v4_.erase(session.lease().v4_number());
    if (session.lease6()) by_v6_.erase(*session.lease6());
  }
  // The last one takes its place: the order of sessions means nothing.
  std::swap(sessions_[index], sessions_.back());
  sessions_[index]->table_index = index;
  std::unique_ptr<Session> removed = std::move(sessions_.back());
  sessions_.pop_back();
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
