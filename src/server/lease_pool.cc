#include "server/lease_pool.h"

#include <cassert>
#include <utility>

namespace qdt::server {

LeasePool::LeasePool(const Prefix& pool, const IpAddress& gateway, std::size_t shard_count,
                     const std::optional<Ipv6Pool>& ipv6)
    : first_(pool.address().v4_number()),
      size_(std::uint32_t{1} << (32 - pool.length())),
      shard_count_(static_cast<std::uint32_t>(shard_count)),
      ipv6_(ipv6),
      owners_(std::make_unique<std::atomic<std::uint8_t>[]>(size_)) {
  assert(pool.address().is_v4() && pool.length() >= 8 && pool.length() <= 30);
  assert(pool.contains(gateway) && shard_count > 0 && shard_count < kFixed);
  assert(!ipv6 || 128 - ipv6->prefix.length() >= 32 - pool.length());
  capacity_ = size_;
  for (const std::uint32_t offset : {std::uint32_t{0}, size_ - 1, offset_of(gateway)}) {
    reserve(offset);
  }
  if (ipv6) {
    const auto number = ipv6->prefix.number_of(ipv6->gateway);
    if (number && *number < size_) reserve(*number);
  }
  for (std::uint32_t shard = 0; shard < shard_count_; ++shard) {
    // The first offset whose address belongs to the shard.
    cursors_.push_back((shard + shard_count_ - first_ % shard_count_) % shard_count_);
  }
}

void LeasePool::reserve(std::uint32_t offset) {
  if (owners_[offset].exchange(kReserved, std::memory_order_relaxed) == kFree) --capacity_;
}

std::optional<IpAddress> LeasePool::acquire(std::size_t shard) {
  const std::scoped_lock lock(mutex_);
  if (lent() + kept_ + idle_fixed_ == capacity_) return std::nullopt;

  auto offset = next_free(cursors_[shard], shard_count_);
  if (offset) {
    cursors_[shard] = *offset + shard_count_;
  } else {
    offset = next_free(0, 1);  // another shard's: packets to it will be handed over
  }
  if (!offset) return std::nullopt;
  set_owner(*offset, static_cast<std::uint8_t>(shard + 1));
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
  set_owner(offset_of(address), kFree);
}

bool LeasePool::keep(const IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  if (!address.is_v4() || offset_of(address) >= size_) return false;
  const std::uint8_t owner = owners_[offset_of(address)].load(std::memory_order_relaxed);
  if (owner == kReserved || owner == kKept || owner == kFixed) return false;
  set_owner(offset_of(address), kKept);
  return true;
}

bool LeasePool::lends(const IpAddress& address) const {
  if (!address.is_v4() || offset_of(address) >= size_) return false;
  return owners_[offset_of(address)].load(std::memory_order_relaxed) != kReserved;
}

void LeasePool::fix(std::span<const IpAddress> addresses) {
  const std::scoped_lock lock(mutex_);
  const auto before = std::exchange(fixed_, {});
  for (const IpAddress& address : addresses) fixed_.insert(offset_of(address));
  const auto is_idle = [this](std::uint32_t offset) {
    const std::uint8_t owner = owners_[offset].load(std::memory_order_relaxed);
    return owner == kFree || owner == kFixed;
  };
  for (const std::uint32_t offset : before) {
    if (is_idle(offset)) set_owner(offset, kFree);
  }
  for (const std::uint32_t offset : fixed_) {
    if (is_idle(offset)) set_owner(offset, kFree);
  }
}

bool LeasePool::is_fixed(const IpAddress& address) const {
  const std::scoped_lock lock(mutex_);
  return fixed_.contains(offset_of(address));
}

void LeasePool::give(const IpAddress& address, std::size_t shard) {
  const std::scoped_lock lock(mutex_);
  set_owner(offset_of(address), static_cast<std::uint8_t>(shard + 1));
}

void LeasePool::set_owner(std::uint32_t offset, std::uint8_t owner) {
  if (owner == kFree && fixed_.contains(offset)) owner = kFixed;
  const std::uint8_t before = owners_[offset].exchange(owner, std::memory_order_acq_rel);
  assert(before != kReserved);
  const auto is_lent = [](std::uint8_t of) { return of != kFree && of != kFixed && of != kKept; };
  if (is_lent(before)) lent_.fetch_sub(1, std::memory_order_relaxed);
  if (is_lent(owner)) lent_.fetch_add(1, std::memory_order_relaxed);
  if (before == kKept) --kept_;
  if (owner == kKept) ++kept_;
  if (before == kFixed) --idle_fixed_;
  if (owner == kFixed) ++idle_fixed_;
}

std::optional<IpAddress> LeasePool::ipv6_of(const IpAddress& address) const {
  if (!ipv6_) return std::nullopt;
  return ipv6_->prefix.host(offset_of(address));
}

std::uint32_t LeasePool::ipv6_difference() const {
  if (!ipv6_) return 0;
  return first_ - load_be<std::uint32_t>(ipv6_->prefix.address().bytes().last(4).data());
}

std::optional<std::size_t> LeasePool::owner(const IpAddress& address) const {
  if (address.is_v6() && !ipv6_) return std::nullopt;
  const std::uint32_t offset =
      address.is_v4() ? offset_of(address) : ipv6_->prefix.number_of(address).value_or(size_);
  if (offset >= size_) return std::nullopt;
  const std::uint8_t owner = owners_[offset].load(std::memory_order_acquire);
  if (owner == kFree || owner >= kFixed) return std::nullopt;
  return owner - 1;
}

}  // namespace qdt::server
