#include "quic/farewells.h"

#include <bit>
#include <utility>

namespace qdt::quic {

void Farewells::add(Farewell farewell) {
  if (queue_.size() == kMaxFarewells) forget_oldest();
  auto& ids = farewell.ids;
  if (ids.size() > kMaxIds) ids.erase(ids.begin(), ids.end() - kMaxIds);
  Farewell& added = queue_.emplace_back(std::move(farewell));
  for (const ConnectionId& id : added.ids) by_id_[id] = &added;
}

Farewells::Late Farewells::hear(Bytes id) {
  if (by_id_.empty()) return {};
  const auto found = by_id_.find(ConnectionId(id));
  if (found == by_id_.end()) return {};
  Farewell& farewell = *found->second;
  const bool is_answered = !farewell.payload.empty() && std::has_single_bit(++farewell.heard);
  return {.is_late = true, .answer = is_answered ? &farewell : nullptr};
}

// One that ends sooner than those before it stays as long as they do.
void Farewells::forget(Timestamp now) {
  while (!queue_.empty() && queue_.front().until <= now) forget_oldest();
}

void Farewells::forget_oldest() {
  Farewell& oldest = queue_.front();
  for (const ConnectionId& id : oldest.ids) {
    const auto found = by_id_.find(id);
    if (found != by_id_.end() && found->second == &oldest) by_id_.erase(found);
  }
  queue_.pop_front();
}

}  // namespace qdt::quic
