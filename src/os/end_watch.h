#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "base/logger.h"
#include "base/time.h"
#include "os/clock.h"
#include "os/poller.h"
#include "os/process.h"

namespace qdt::os {

/// While a process ends: a thread of its own that says in the log what the end waits for, once it
/// takes long, and answers whoever asks again. A second request never cuts the end short: the host
/// would stay as it is.
class EndWatch {
 public:
  /// Takes over `stop`, which nobody else reads from now on; both outlive the watch.
  EndWatch(StopSignal& stop, Logger& logger) : stop_(stop), logger_(logger) {
    auto waker = Waker::open();
    if (!waker) return;  // an end without words is one all the same
    waker_.emplace(std::move(*waker));
    thread_ = std::thread([this] { run(); });
  }
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;
  ~EndWatch() {
    if (!thread_.joinable()) return;
    is_over_ = true;
    waker_->wake();
    thread_.join();
  }

  /// The step that begins now; a literal.
  void begin(const char* step) { step_ = step; }

 private:
  static constexpr Duration kPatience = 3s;
  static constexpr Duration kRepeat = 10s;

  void run() {
    enum Key { kStopKey, kOverKey };
    auto poller = Poller::open();
    if (!poller || !poller->add(waker_->poll_handle(), kOverKey) ||
        !poller->add(stop_.poll_handle(), kStopKey)) {
      return;
    }
    const Timestamp begun = now();
    Timestamp due = begun + kPatience;
    while (!is_over_) {
      poller->wait(due, now());
      while (const auto request = stop_.take()) {
        logger_.info(request->name + ": stopping already: " + step_.load());
      }
      if (is_over_ || now() < due) continue;
      logger_.warning("still stopping after " + std::to_string((now() - begun) / 1s) +
                      " s: " + step_.load());
      due = now() + kRepeat;
    }
  }

  StopSignal& stop_;
  Logger& logger_;
  std::atomic<const char*> step_ = "everything is put back";
  std::atomic<bool> is_over_ = false;
  std::optional<Waker> waker_;
  std::thread thread_;
};

}  // namespace qdt::os
