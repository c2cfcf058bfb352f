#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/time.h"

namespace qdt {

/// Orders objects by their next timer: the soonest is found at once, any can be moved or removed in
/// log(n). `Item` has the members `Timestamp timer` and `std::size_t timer_index`, which are this
/// heap's to write; timer_index is kNoTimer while the object is not in it.
inline constexpr std::size_t kNoTimer = SIZE_MAX;

template <typename Item>
class TimerHeap {
 public:
  Timestamp next() const { return items_.empty() ? kNever : items_.front()->timer; }
  /// The soonest; the heap is not empty.
  Item& front() const { return *items_.front(); }
  bool empty() const { return items_.empty(); }

  /// Puts `item` in, moves it, or (kNever) takes it out.
  void set(Item& item, Timestamp timer) {
    if (timer == kNever) return remove(item);
    if (item.timer_index == kNoTimer) {
      item.timer = timer;
      item.timer_index = items_.size();
      items_.push_back(&item);
      rise(item.timer_index);
      return;
    }
    const bool is_sooner = timer < item.timer;
    item.timer = timer;
    is_sooner ? rise(item.timer_index) : sink(item.timer_index);
  }

  void remove(Item& item) {
    if (item.timer_index == kNoTimer) return;
    const std::size_t hole = std::exchange(item.timer_index, kNoTimer);
    Item* last = items_.back();
    items_.pop_back();
    if (last == &item) return;
    place(last, hole);
    rise(hole);
    sink(last->timer_index);
  }

 private:
  void place(Item* item, std::size_t index) {
    items_[index] = item;
    item->timer_index = index;
  }

  void rise(std::size_t index) {
    Item* item = items_[index];
    while (index > 0) {
      const std::size_t parent = (index - 1) / 2;
      if (items_[parent]->timer <= item->timer) break;
      place(items_[parent], index);
      index = parent;
    }
    place(item, index);
  }

  void sink(std::size_t index) {
    Item* item = items_[index];
    for (;;) {
      std::size_t child = 2 * index + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() && items_[child + 1]->timer < items_[child]->timer) ++child;
      if (item->timer <= items_[child]->timer) break;
      place(items_[child], index);
      index = child;
    }
    place(item, index);
  }

  std::vector<Item*> items_;
};

}  // namespace qdt
