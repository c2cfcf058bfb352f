#include "access/account.h"

namespace qdt::access {

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
