#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"
#include "os/linux/bpf.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// The packets that the kernel has put into the queues of a TUN device, counted by a program of
/// ours that it runs for each packet (TUNSETFILTEREBPF, Linux 4.16): it has no other way to tell
/// how much waits there. The program goes with the device.
class TunArrivals {
 public:
  /// Counts from now on, for the first `queues` queues of `tun`, an open device; the queues share
  /// the result. Needs CAP_BPF and Linux 5.5 (a map that is memory of ours, too).
  static Result<std::shared_ptr<const TunArrivals>> count(int tun, std::size_t queues);
  /// The same by a program that was loaded before (tun_programs.h). No privilege needed.
  static Result<std::shared_ptr<const TunArrivals>> count(int tun, std::size_t queues,
                                                          const bpf::ProgramWithArray& counter);
  /// Those that another process has counted since; `map` is its map(). No privilege needed.
  static Result<std::shared_ptr<const TunArrivals>> join(UniqueFd map, std::size_t queues);
  TunArrivals(const TunArrivals&) = delete;
  TunArrivals& operator=(const TunArrivals&) = delete;
  ~TunArrivals();

  /// Bytes of packets, without the header of the device's own. Any thread; no system call.
  std::uint64_t bytes(std::size_t queue) const;
  int map() const { return map_.get(); }

  /// The room that the count of a queue takes: a cache line of its own, since every processor that
  /// sends adds to it.
  static constexpr std::size_t kCountBytes = 64;

 private:
  struct alignas(kCountBytes) Count {
    std::uint64_t bytes;
  };
  TunArrivals(UniqueFd map, std::span<Count> counts) : map_(std::move(map)), counts_(counts) {}

  UniqueFd map_;
  std::span<Count> counts_;  // the kernel adds to them; memory that is only to be read
};

}  // namespace qdt::os
