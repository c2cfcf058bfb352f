#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/result.h"
#include "os/linux/bpf.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// The programs of a TUN device, and the arrays by which they talk with us, for a device of any
/// number of queues. A process that has them needs no privilege to use them.
struct TunPrograms {
  /// As many as a device has (MAX_TAP_QUEUES of Linux).
  static constexpr std::size_t kMaxQueues = 256;

  bpf::ProgramWithArray counter;  ///< tun_arrivals.h
  bpf::ProgramWithArray chooser;  ///< steering.cc

  /// Needs CAP_BPF.
  static Result<TunPrograms> load();
  /// Those that hand_over_tun_programs() left with the service manager for this process; null: none
  /// or not all. Nobody else takes what the manager has passed on afterwards. Before the first
  /// thread.
  static std::shared_ptr<TunPrograms> take_inherited();

  std::array<UniqueFd*, 4> descriptors() {
    return {&counter.program, &counter.array, &chooser.program, &chooser.array};
  }
};

/// Loads a program that chooses queues as steer_packets() says, and its array.
Result<bpf::ProgramWithArray> load_queue_chooser();
/// Loads a program that counts arrivals in up to `queues` queues, and its array.
Result<bpf::ProgramWithArray> load_arrival_counter(std::size_t queues);

}  // namespace qdt::os
