#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace qdt::os {

/// The source that a poller waits for: a file descriptor on Linux, an event object on Windows.
enum class PollHandle : std::intptr_t {};

struct PollEvent {
  int key = 0;  ///< as given to add()
  bool is_readable = false;
  bool is_writable = false;
};

/// Waits for sockets, devices and wakers. One thread; level-triggered.
class Poller {
 public:
  static Result<Poller> open();
  Poller(Poller&&) noexcept;
  Poller& operator=(Poller&&) noexcept;
  ~Poller();

  /// Reports `handle` under `key` whenever it is readable.
  Result<void> add(PollHandle handle, int key);
  /// Reports it, from now on, also (or no longer) when it is writable.
  void watch_writable(PollHandle handle, int key, bool is_watched);
  void remove(PollHandle handle);

  /// Waits until something is ready or `deadline` has come (kNever: for ever). What is ready is
  /// valid until the next call.
  std::span<const PollEvent> wait(Timestamp deadline, Timestamp now);

 private:
  struct State;
  Poller();
  std::unique_ptr<State> state_;
};

/// Makes a poller's handle readable from any thread.
class Waker {
 public:
  static Result<Waker> open();
  Waker(Waker&&) noexcept;
  Waker& operator=(Waker&&) noexcept;
  ~Waker();

  void wake();   ///< any thread
  void clear();  ///< the poller's thread, before it looks at what it was woken for
  PollHandle poll_handle() const;

 private:
  explicit Waker(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_ = -1;
};

}  // namespace qdt::os
