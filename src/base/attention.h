#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/timer_heap.h"

namespace qdt {

inline constexpr std::size_t kNotNoted = SIZE_MAX;

/// The items that want to be looked at: those that have changed, each once however often it is
/// noted, and those whose timer has come. An item notes itself in each of its functions that may
/// change what it has to send or when, so that no caller has to remember it. `Item` has, besides
/// what TimerHeap asks for, the member `std::size_t noted_index`, kNotNoted at first. One thread.
template <typename Item>
class Attention {
 public:
  void note(Item& item) {
    if (item.noted_index != kNotNoted) return;
    item.noted_index = noted_.size();
    noted_.push_back(&item);
  }
  /// The item is about to be destroyed, or of no interest any more.
  void forget(Item& item) {
    take_out(item);
    timers_.remove(item);
  }

  bool empty() const { return noted_.empty(); }
  /// The latest that was noted, which is noted no longer; null if there is none.
  Item* take() {
    if (noted_.empty()) return nullptr;
    Item& item = *noted_.back();
    take_out(item);
    return &item;
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Item* item : noted_) visit(*item);
  }

  /// kNever takes the timer away.
  void set_timer(Item& item, Timestamp timer) { timers_.set(item, timer); }
  Timestamp next_timeout() const { return timers_.next(); }
  /// An item whose time has come, and whose timer is gone now; null if there is none.
  Item* take_due(Timestamp now) {
    if (timers_.next() > now) return nullptr;
    Item& item = timers_.front();
    timers_.remove(item);
    return &item;
  }

 private:
  void take_out(Item& item) {
    const std::size_t index = std::exchange(item.noted_index, kNotNoted);
    if (index == kNotNoted) return;
    Item* last = noted_.back();
    noted_.pop_back();
    if (last == &item) return;
    noted_[index] = last;
    last->noted_index = index;
  }

  std::vector<Item*> noted_;
  TimerHeap<Item> timers_;
};

}  // namespace qdt
