#pragma once

#include <cstddef>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "os/poller.h"
#include "os/udp_socket.h"
#include "tunnel/counters.h"

namespace qdt::shard {

/// A shard's way to the network: a UDP socket, and the queue of the payloads that leave by it. The
/// socket may be exchanged for another while the queue, to which the tunnel writes, stays. One
/// thread: its shard's.
class Link {
 public:
  /// Poll events come under `key` and, for the socket before the last change, `key` + 1. Referenced
  /// objects outlive the link.
  Link(std::size_t max_payloads, int key, os::Poller& poller, tunnel::Counters& counters)
      : payloads_(max_payloads), key_(key), poller_(poller), counters_(counters) {}

  UdpSendQueue& payloads() { return payloads_; }

  /// Sends and receives by `socket` from now on; what waited for the one before is dropped.
  Result<void> use_socket(os::UdpSocket socket);
  /// The same for sessions that go on: for some seconds, what arrives at the socket before is taken
  /// as well, as if it had come by this one. On a slow path answers are on their way to it.
  Result<void> replace_socket(os::UdpSocket socket, Timestamp now);
  /// The socket has `remote` for its only peer from now on.
  Result<void> connect_socket(const SocketAddress& remote) { return socket_->connect(remote); }

  /// Whether an event with this key is the link's.
  bool has(const os::PollEvent& event) const {
    return event.key == key_ || event.key == late_key();
  }
  /// Sends what waits if `event` tells that the socket takes payloads again. Then takes what has
  /// arrived into `batch`; false if it tells of nothing.
  bool handle(const os::PollEvent& event, os::UdpReceiveBatch& batch);
  /// The path of a burst that was taken last, as connections are to see it.
  UdpPath path_of(const UdpBurst& burst) const {
    return is_late_ ? UdpPath{socket_->local_address(), burst.path.remote} : burst.path;
  }

  /// Hands payloads to the socket, as many as it takes.
  void send();
  /// It takes none now, and payloads wait.
  bool is_blocked() const { return is_blocked_; }

  Timestamp next_timeout() const { return late_until_; }
  void handle_timeout(Timestamp now) {
    if (late_until_ <= now) close_late_socket();
  }

 private:
  int late_key() const { return key_ + 1; }
  void close_late_socket();
  void set_blocked(bool is_blocked);

  UdpSendQueue payloads_;
  int key_;
  os::Poller& poller_;
  tunnel::Counters& counters_;
  std::optional<os::UdpSocket> socket_;
  // The one before, until then: one, however often sessions move.
  std::optional<os::UdpSocket> late_socket_;
  Timestamp late_until_ = kNever;
  bool is_late_ = false;  // what was taken last came by that one
  bool is_blocked_ = false;
  bool is_watching_writable_ = false;
};

}  // namespace qdt::shard
