#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace qdt::tunnel {

/// Tells which of many queues is one of the longest, to a factor of two, in constant time: queues
/// of like length are in a list, and move only when their length doubles or halves. Those of less
/// than kShort, as they come and go with each packet, are in none. One thread.
class QueueLengths {
 public:
  static constexpr std::size_t kShort = 2;

  /// A queue's place; a base of the queue, which leaves with it.
  class Place {
   public:
    Place() = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   protected:
    ~Place() = default;

   private:
    friend QueueLengths;
    Place* previous_ = nullptr;
    Place* next_ = nullptr;
    std::size_t level_ = 0;  // 0: in no list
  };

  /// The queue has this length now.
  void set(Place& place, std::size_t length) {
    const std::size_t level = std::min<std::size_t>(std::bit_width(length / kShort), kLevels - 1);
    if (level != place.level_) move(place, level);
  }
  /// One of the longest, another one each time; null when all are short.
  Place* longest();

 private:
  static constexpr std::size_t kLevels = 24;

  // A ring's first; the others follow it.
  void move(Place& place, std::size_t level);

  std::array<Place*, kLevels> levels_{};
};

}  // namespace qdt::tunnel
