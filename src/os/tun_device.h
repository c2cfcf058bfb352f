#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "base/super_packet.h"
#include "os/poller.h"

namespace qdt::os {

struct TunPrograms;  // os/linux/tun_programs.h

/// Which super-packets a TUN device gives and takes.
struct TunOffloads {
  bool has_tcp = false;
  bool has_udp = false;
  bool operator==(const TunOffloads&) const = default;
};

/// One queue of a TUN device: where a shard's packets come from and go to. One thread.
class TunQueue {
 public:
  TunQueue(TunQueue&&) noexcept;
  TunQueue& operator=(TunQueue&&) noexcept;
  ~TunQueue();

  /// Takes one packet that waits, a super-packet perhaps; its bytes are the queue's and valid until
  /// the next read(). False when none waits.
  bool read(SuperPacket& packet);
  /// Hands everything to the kernel, nothing that offloads() does not have. Returns how many
  /// packets it refused.
  std::size_t write(std::span<const GatheredPacket> packets);

  /// How many bytes of packets wait to be read, about: a packet that is just being put in may
  /// count or not, and one that found no room counts until read() has found the queue empty. 0
  /// where the system does not tell: without CAP_BPF, before Linux 5.5, on Windows.
  std::size_t waiting_bytes() const;

  /// Whether read() found that the device has gone, or this queue of it: nothing will ever come,
  /// and the poll handle is ready for ever.
  bool has_gone() const;

  TunOffloads offloads() const;
  PollHandle poll_handle() const;

 private:
  friend struct TunDevice;
  friend struct TunParts;  // of a system where another process makes the device
  struct State;
  explicit TunQueue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A TUN device (layer 3, no packet information header). It exists as long as a queue of it does;
/// its addresses and routes go with it.
struct TunDevice {
  struct Options {
    std::string name;  ///< or a pattern such as "qdt%d", for a name that is free
    std::size_t queues = 1;
    /// The kernel hands over and takes super-packets where it can; what it cannot is logged.
    bool use_offloads = true;
    /// Loaded before, for a process that may load none itself (os/tun_programs.h); null: it loads
    /// its own. Shared: every copy of a plan has these options.
    std::shared_ptr<const TunPrograms> programs = nullptr;
  };

  std::string name;
  std::vector<TunQueue> queues;

  static Result<TunDevice> open(const Options& options, Logger& logger);
};

}  // namespace qdt::os
