#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "os/poller.h"

namespace qdt::os {

/// A connection by TCP or by a unix socket, for the small servers beside the tunnel. Used by one
/// thread at a time, but for shut_down(). Deadlines are on the clock of os/clock.h.
class StreamConnection {
 public:
  /// The other end: for health checks and tests.
  static Result<StreamConnection> connect(const SocketAddress& address, Timestamp deadline);
  /// To a unix socket by its path. kUnavailable: nobody listens there any more; kBusy: too many
  /// wait.
  static Result<StreamConnection> connect_local(const std::string& path);
  StreamConnection(StreamConnection&& other) noexcept;
  StreamConnection& operator=(StreamConnection&& other) noexcept;
  ~StreamConnection();

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

  /// Bytes that the peer has sent and acknowledged so far; 0 on a unix socket, which does not tell.
  /// Any thread.
  std::uint64_t progress() const;
  /// Another descriptor of the same connection, for a library that closes what it is given; -1 when
  /// the system is short of them.
  int duplicate() const;
  PollHandle poll_handle() const { return PollHandle{handle_}; }
  /// The other end's address; the unspecified one on a unix socket.
  const IpAddress& peer() const { return peer_; }
  /// The user of this host at the other end of a unix socket; nothing: it is none.
  std::optional<std::uint32_t> peer_user() const;

 private:
  friend class StreamListener;
  StreamConnection(std::intptr_t handle, const IpAddress& peer) : handle_(handle), peer_(peer) {}
  std::intptr_t handle_ = -1;
  IpAddress peer_;
};

/// A listening socket. One thread.
class StreamListener {
 public:
  /// Fails when the address is taken, also by a socket of this user's. Port 0: the kernel chooses.
  /// The error is `ADDRESS: REASON`.
  static Result<StreamListener> open(const SocketAddress& address);
  /// One that listens already: a unix socket (os/control_socket.h).
  static StreamListener adopt(PollHandle handle) {
    return StreamListener(static_cast<std::intptr_t>(handle));
  }
  StreamListener(StreamListener&& other) noexcept;
  StreamListener& operator=(StreamListener&& other) noexcept;
  ~StreamListener();

  /// The connection that waits longest, if any does. Fails while the system is short of descriptors
  /// or memory: the connection goes on waiting, and the listener stays readable.
  Result<std::optional<StreamConnection>> accept();
  PollHandle poll_handle() const { return PollHandle{handle_}; }
  /// With the port that the kernel chose, where 0 was asked for; of TCP alone.
  SocketAddress address() const;

 private:
  explicit StreamListener(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
