#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "os/poller.h"

namespace qdt::shard {

/// The way into a shard from other threads: messages are posted by anyone and taken, all at once,
/// by the owner between two batches.
template <typename Message>
class Mailbox {
 public:
  explicit Mailbox(os::Waker waker) : waker_(std::move(waker)) {}

  /// Any thread.
  void post(Message message) {
    {
      const std::scoped_lock lock(mutex_);
      messages_.push_back(std::move(message));
    }
    waker_.wake();
  }

  /// As post(), unless `max_waiting` messages wait already: for what may be lost. Any thread.
  [[nodiscard]] bool offer(Message&& message, std::size_t max_waiting) {
    {
      const std::scoped_lock lock(mutex_);
      if (messages_.size() >= max_waiting) return false;
      messages_.push_back(std::move(message));
    }
    waker_.wake();
    return true;
  }

  /// Everything that was posted since the last call, in order. The owner's thread.
  std::vector<Message> take() {
    waker_.clear();
    const std::scoped_lock lock(mutex_);
    return std::exchange(messages_, {});
  }

  /// Readable while messages wait.
  os::PollHandle poll_handle() const { return waker_.poll_handle(); }

 private:
  os::Waker waker_;
  std::mutex mutex_;
  std::vector<Message> messages_;
};

}  // namespace qdt::shard
