#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/packet_batch.h"
#include "base/result.h"
#include "os/poller.h"

namespace qdt::os {

/// One queue of a TUN device: where a shard's packets come from and go to. One thread.
class TunQueue {
 public:
  TunQueue(TunQueue&&) noexcept;
  TunQueue& operator=(TunQueue&&) noexcept;
  ~TunQueue();

  /// Appends the packets that wait, as long as `batch` has room for one of full size. Returns how
  /// many there were.
  std::size_t read(PacketBatch& batch);
  /// Hands every packet to the kernel. Returns how many it refused.
  std::size_t write(const PacketBatch& batch);

  PollHandle poll_handle() const;

 private:
  friend struct TunDevice;
  struct State;
  explicit TunQueue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A TUN device (layer 3, no packet information header). It exists as long as a queue of it does;
/// its addresses and routes go with it.
struct TunDevice {
  std::string name;
  std::vector<TunQueue> queues;

  /// Creates `name` with `queues` queues, or takes a free name for a pattern such as "qdt%d".
  static Result<TunDevice> open(const std::string& name, std::size_t queues);
};

/// Whether the device is there, up and running: packets written to it go somewhere.
bool is_tun_up(const std::string& name);

}  // namespace qdt::os
