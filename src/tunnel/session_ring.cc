#include "tunnel/session_ring.h"

#include "tunnel/session.h"

namespace qdt::tunnel {

void SessionRing::push(Session& session) {
  Place& place = session.ready_place;
  if (place.is_taken()) return;
  if (first_ == nullptr) {
    place.previous_ = place.next_ = first_ = &session;
    return;
  }
  Place& first = first_->ready_place;
  place.next_ = first_;
  place.previous_ = first.previous_;
  place.previous_->ready_place.next_ = first.previous_ = &session;
}

void SessionRing::rotate() {
  if (first_ != nullptr) first_ = first_->ready_place.next_;
}

void SessionRing::remove(Session& session) {
  Place& place = session.ready_place;
  if (!place.is_taken()) return;
  place.previous_->ready_place.next_ = place.next_;
  place.next_->ready_place.previous_ = place.previous_;
  if (first_ == &session) first_ = place.next_ == &session ? nullptr : place.next_;
  place = {};
}

}  // namespace qdt::tunnel
