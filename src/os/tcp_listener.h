#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"

namespace qdt::os {

/// A TCP connection, for the small servers beside the tunnel. Used by one thread, but
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
  /// Tells the peer that this was all, and waits until it has closed its side: closed with unread
  /// bytes, the connection would be reset, and the peer might lose what was just written.
  void finish(Timestamp deadline);
  /// Ends the connection in both directions: no function waits any more, now or later. Any thread.
  void shut_down();

 private:
  friend class TcpListener;
  explicit TcpConnection(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

/// A listening TCP socket. Stays where it is, so that threads may share it.
class TcpListener {
 public:
  /// Fails when the address is taken, also by a socket of this user's. Port 0: the kernel chooses.
  /// The error is `ADDRESS: REASON`.
  static Result<TcpListener> open(const SocketAddress& address);
  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  ~TcpListener();

  /// Waits for a connection; nothing after shut_down(). Any number of threads.
  std::optional<TcpConnection> accept();
  /// Ends every accept(), now and later. Any thread.
  void shut_down();
  /// With the port that the kernel chose, where 0 was asked for.
  SocketAddress address() const;

 private:
  explicit TcpListener(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
