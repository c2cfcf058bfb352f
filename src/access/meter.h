#pragma once

#include <atomic>
#include <cstdint>

namespace qdt::access {

/// What the sessions of one device have carried and nobody has written down yet. Outlives the
/// UserTable that it came with. Any thread; sessions touch it about once a second, and at their
/// end.
class Meter {
 public:
  Meter(std::uint64_t user, std::uint64_t device) : user_(user), device_(device) {}

  /// IDs in the store of users; 0: the configuration's.
  std::uint64_t user() const { return user_; }
  std::uint64_t device() const { return device_; }

  /// Bytes of inner packets.
  void add(std::uint64_t up_bytes, std::uint64_t down_bytes) {
    up_bytes_.fetch_add(up_bytes, std::memory_order_relaxed);
    down_bytes_.fetch_add(down_bytes, std::memory_order_relaxed);
  }
  /// Something authentic came from the device.
  void see() { is_seen_.store(true, std::memory_order_relaxed); }

  struct Reading {
    std::uint64_t up_bytes = 0;
    std::uint64_t down_bytes = 0;
    bool is_seen = false;
  };
  /// What has come since the last call, which is its caller's now: each byte is in one reading.
  Reading take() {
    const auto take = [](auto& value) {
      using Value = decltype(value.load());
      // Most devices are away: a look leaves their line in every cache.
      return value.load(std::memory_order_relaxed)
                 ? value.exchange(Value{}, std::memory_order_relaxed)
                 : Value{};
    };
    return {
        .up_bytes = take(up_bytes_), .down_bytes = take(down_bytes_), .is_seen = take(is_seen_)};
  }

 private:
  std::uint64_t user_;
  std::uint64_t device_;
  std::atomic<std::uint64_t> up_bytes_ = 0;
  std::atomic<std::uint64_t> down_bytes_ = 0;
  std::atomic<bool> is_seen_ = false;
};

}  // namespace qdt::access
