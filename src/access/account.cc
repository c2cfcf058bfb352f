#include "access/account.h"

namespace qdt::access {

bool Account::reserve_session(std::size_t max, bool replaces) {
  const std::size_t before = sessions_.fetch_add(1, std::memory_order_relaxed);
  if (replaces || max == 0 || before < max) return true;
  release_session();
  return false;
}

void Account::Way::add(const Traffic::Way& way) {
  packets.fetch_add(way.packets, std::memory_order_relaxed);
  bytes.fetch_add(way.bytes, std::memory_order_relaxed);
  drops.fetch_add(way.drops, std::memory_order_relaxed);
}

Traffic::Way Account::Way::value() const {
  return {.packets = packets.load(std::memory_order_relaxed),
          .bytes = bytes.load(std::memory_order_relaxed),
          .drops = drops.load(std::memory_order_relaxed)};
}

void Account::add(const Traffic& traffic) {
  up_.add(traffic.up);
  down_.add(traffic.down);
}

Traffic Account::traffic() const {
  return {.up = up_.value(), .down = down_.value()};
}

}  // namespace qdt::access
