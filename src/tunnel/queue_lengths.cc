#include "tunnel/queue_lengths.h"

namespace qdt::tunnel {

void QueueLengths::move(Place& place, std::size_t level) {
  if (place.level_ > 0) {
    Place*& first = levels_[place.level_];
    if (first == &place) first = place.next_ == &place ? nullptr : place.next_;
    place.previous_->next_ = place.next_;
    place.next_->previous_ = place.previous_;
  }
  place.level_ = level;
  if (level == 0) return;

  Place*& first = levels_[level];
  if (first == nullptr) {
    place.previous_ = place.next_ = &place;
    first = &place;
    return;
  }
  place.next_ = first;
  place.previous_ = first->previous_;
  place.previous_->next_ = first->previous_ = &place;
}

QueueLengths::Place* QueueLengths::longest() {
  for (std::size_t level = kLevels - 1; level > 0; --level) {
    Place*& first = levels_[level];
    if (first == nullptr) continue;
    Place* const place = first;
    first = place->next_;
    return place;
  }
  return nullptr;
}

}  // namespace qdt::tunnel
