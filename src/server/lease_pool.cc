#include "server/lease_pool.h"

#include <cassert>

namespace qdt::server {

LeasePool::LeasePool(const Prefix& pool, const IpAddress& gateway, std::size_t shard_count)
    : first_(pool.address().v4_number()),
      size_(std::uint32_t{1} << (32 - pool.length())),
      shard_count_(static_cast<std::uint32_t>(shard_count)),
      owners_(std::make_unique<std::atomic<std::uint8_t>[]>(size_)) {
  assert(pool.address().is_v4() && pool.length() >= 8 && pool.length() <= 30);
  assert(pool.contains(gateway) && shard_count > 0 && shard_count < kReserved);
  for (const std::uint32_t offset : {std::uint32_t{0}, size_ - 1, offset_of(gateway)}) {
    owners_[offset].store(kReserved, std::memory_order_relaxed);
  }
  const bool is_gateway_apart = offset_of(gateway) != 0 && offset_of(gateway) != size_ - 1;
  capacity_ = size_ - (is_gateway_apart ? 3 : 2);
  for (std::uint32_t shard = 0; shard < shard_count_; ++shard) {
    // The first offset whose address belongs to the shard.
    cursors_.push_back((shard + shard_count_ - first_ % shard_count_) % shard_count_);
  }
}

std::optional<IpAddress> LeasePool::acquire(std::size_t shard) {
  const std::scoped_lock lock(mutex_);
  if (lent() == capacity_) return std::nullopt;

  auto offset = next_free(cursors_[shard], shard_count_);
  if (offset) {
    cursors_[shard] = *offset + shard_count_;
  } else {
    offset = next_free(0, 1);  // another shard's: packets to it will be handed over
  }
  if (!offset) return std::nullopt;
  owners_[*offset].store(static_cast<std::uint8_t>(shard + 1), std::memory_order_release);
  lent_.fetch_add(1, std::memory_order_relaxed);
  return IpAddress::v4(first_ + *offset);
}

// The first free offset at or behind `from`, then from the beginning, in steps that keep its
// remainder.
std::optional<std::uint32_t> LeasePool::next_free(std::uint32_t from, std::uint32_t step) const {
  const auto is_free = [this](std::uint32_t offset) {
    return owners_[offset].load(std::memory_order_relaxed) == kFree;
  };
  for (std::uint32_t offset = from; offset < size_; offset += step) {
    if (is_free(offset)) return offset;
  }
  for (std::uint32_t offset = from % step; offset < from && offset < size_; offset += step) {
    if (is_free(offset)) return offset;
  }
  return std::nullopt;
}

void LeasePool::release(const IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  owners_[offset_of(address)].store(kFree, std::memory_order_release);
  lent_.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<std::size_t> LeasePool::owner(const IpAddress& address) const {
  if (!address.is_v4()) return std::nullopt;
  const std::uint32_t offset = offset_of(address);
  if (offset >= size_) return std::nullopt;
  const std::uint8_t owner = owners_[offset].load(std::memory_order_acquire);
  if (owner == kFree || owner == kReserved) return std::nullopt;
  return owner - 1;
}

}  // namespace qdt::server
