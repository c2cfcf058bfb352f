#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/ip_address.h"

namespace qdt::server {

/// A server's IPv6 addresses inside the tunnel.
struct Ipv6Pool {
  Prefix prefix;  ///< as many hosts as the IPv4 pool at least
  IpAddress gateway;
};

/// The inner addresses that sessions may have: the pool without its network, broadcast and gateway
/// addresses. An address is lent to one session at a time; the one given back longest ago comes
/// next, so that late packets for a former owner rarely meet a new one. An IPv6 address comes with
/// each: the one that has the same number in its pool. Any thread.
class LeasePool {
 public:
  /// `pool` is an IPv4 prefix of length 8 to 30 that contains `gateway`.
  LeasePool(const Prefix& pool, const IpAddress& gateway, std::size_t shard_count,
            const std::optional<Ipv6Pool>& ipv6 = std::nullopt);

  /// An address for a session of `shard`; nothing when all are lent. One whose number modulo the
  /// shard count is `shard` if there is one: packets to it then arrive at the right TUN queue.
  std::optional<IpAddress> acquire(std::size_t shard);
  void release(const IpAddress& address);
  /// The IPv6 side of a lease, if there is IPv6.
  std::optional<IpAddress> ipv6_of(const IpAddress& address) const;
  /// The difference from the last four bytes of an IPv6 lease to the number of the IPv4 lease
  /// beside it.
  std::uint32_t ipv6_difference() const;

  /// Keeps an address, free or lent, from being lent to anybody; false for one that is not of the
  /// pool, or is kept already.
  bool keep(const IpAddress& address);
  /// Whether the address is one that sessions may have.
  bool lends(const IpAddress& address) const;
  /// These are fixed from now on, and no others: acquire() lends none of them. Each is one that the
  /// pool lends. One that is lent or kept stays so until it comes back.
  void fix(std::span<const IpAddress> addresses);
  bool is_fixed(const IpAddress& address) const;
  /// Lends this very address, lent, kept or fixed, to a session of `shard`.
  void give(const IpAddress& address, std::size_t shard);

  /// The shard that owns `address`, of either kind, now. Lock-free: asked for packets.
  std::optional<std::size_t> owner(const IpAddress& address) const;

  /// How many addresses there are, and how many are lent.
  std::size_t capacity() const { return capacity_; }
  std::size_t lent() const { return lent_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint8_t kFree = 0;
  static constexpr std::uint8_t kFixed = 253;  // and free
  static constexpr std::uint8_t kKept = 254;
  static constexpr std::uint8_t kReserved = 255;

  void set_owner(std::uint32_t offset, std::uint8_t owner);

  std::optional<std::uint32_t> next_free(std::uint32_t from, std::uint32_t step) const;
  std::uint32_t offset_of(const IpAddress& address) const { return address.v4_number() - first_; }
  void reserve(std::uint32_t offset);

  std::uint32_t first_;  // the pool's network address
  std::uint32_t size_;
  std::uint32_t shard_count_;
  std::optional<Ipv6Pool> ipv6_;
  std::size_t capacity_ = 0;
  std::atomic<std::size_t> lent_{0};
  std::size_t kept_ = 0;
  std::size_t idle_fixed_ = 0;
  mutable std::mutex mutex_;
  std::unordered_set<std::uint32_t> fixed_;
  // For each address: free, fixed, kept, reserved, or its shard's number plus one.
  std::unique_ptr<std::atomic<std::uint8_t>[]> owners_;
  std::vector<std::uint32_t> cursors_;  // for each shard: where to look next
};

}  // namespace qdt::server
