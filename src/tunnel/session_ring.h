#pragma once

namespace qdt::tunnel {

class Session;

/// Sessions that take turns, in constant time however many there are. One thread.
class SessionRing {
 public:
  /// A session's place in the ring, of which it is in one at most.
  class Place {
   public:
    bool is_taken() const { return next_ != nullptr; }

   private:
    friend SessionRing;
    Session* previous_ = nullptr;
    Session* next_ = nullptr;
  };

  bool empty() const { return first_ == nullptr; }
  /// Whose turn it is.
  Session& front() const { return *first_; }
  /// The last to have a turn, unless it is in the ring already.
  void push(Session& session);
  /// The next one's turn.
  void rotate();
  /// Nothing for a session that is not in the ring.
  void remove(Session& session);

 private:
  Session* first_ = nullptr;
};

}  // namespace qdt::tunnel
