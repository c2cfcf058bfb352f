#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "os/poller.h"

namespace qdt::os {

/// A TCP connection, for the small servers beside the tunnel. Used by one thread at a time, but
/// for shut_down(). Deadlines are on the clock of os/clock.h.
class TcpConnection {
 public:
  /// The other end: for health checks and tests.
  static Result<TcpConnection> connect(const SocketAddress& address, Timestamp deadline);
  TcpConnection(TcpConnection&& other) noexcept;
  TcpConnection& operator=(TcpConnection&& other) noexcept;
  ~TcpConnection();

  /// Waits for bytes and returns how many were read into `out`: 0 when the peer has sent its last,
  /// nothing on an error and at the deadline.
  std::optional<std::size_t> read(MutableBytes out, Timestamp deadline);
  /// Writes all of `bytes`, or fails on an error and at the deadline.
  bool write(Bytes bytes, Timestamp deadline);
  /// Returns true at the deadline; false as soon as the peer closes its side or after shut_down().
  bool wait(Timestamp deadline);

  /// Tells the peer that this was all. To be closed when the peer has closed its side, too: closed
  /// with unread bytes, the connection would be reset, and the peer might lose what was just
  /// written.
  void end_writing();
  /// Ends the connection in both directions: no function waits any more, now or later. Any thread.
  void shut_down();

  /// Bytes that the peer has sent and acknowledged so far. Any thread.
  std::uint64_t progress() const;
  /// Another descriptor of the same connection, for a library that closes what it is given; -1 when
  /// the system is short of them.
  int duplicate() const;
  PollHandle poll_handle() const { return PollHandle{handle_}; }
  /// The other end's address.
  const IpAddress& peer() const { return peer_; }

 private:
  friend class TcpListener;
  TcpConnection(std::intptr_t handle, const IpAddress& peer) : handle_(handle), peer_(peer) {}
  std::intptr_t handle_ = -1;
  IpAddress peer_;
};

/// A listening TCP socket. One thread.
class TcpListener {
 public:
  /// Fails when the address is taken, also by a socket of this user's. Port 0: the kernel chooses.
  /// The error is `ADDRESS: REASON`.
  static Result<TcpListener> open(const SocketAddress& address);
  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  ~TcpListener();

  /// The connection that waits longest, if any does. Fails while the system is short of descriptors
  /// or memory: the connection goes on waiting, and the listener stays readable.
  Result<std::optional<TcpConnection>> accept();
  PollHandle poll_handle() const { return PollHandle{handle_}; }
  /// With the port that the kernel chose, where 0 was asked for.
  SocketAddress address() const;

 private:
  explicit TcpListener(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
