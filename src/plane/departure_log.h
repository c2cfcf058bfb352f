#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <vector>

#include "base/drop.h"
#include "base/time.h"
#include "wire/direct_frame.h"

namespace qdt::plane {

/// The change on the path since the previous feedback.
struct PathSample {
  Timestamp sent;  ///< when the latest packet that has arrived left
  Duration rtt{};
  Duration queue_delay{};     ///< above the shortest one-way delay of late
  std::uint64_t bytes = 0;    ///< that have arrived
  Duration over{};            ///< in this time, by the receiver's clock
  std::uint32_t packets = 0;  ///< that have arrived
  std::uint32_t lost = 0;     ///< and that have not, although later ones have
  std::uint32_t marked = 0;   ///< arrived with congestion experienced
};

/// When the direct plane's packets left, as far as it takes to understand the feedback about them:
/// one entry for those that left together. It grows with what is sent in two round trips, from 512
/// bytes to 8 KiB, and shrinks when nothing has been sent for a while. Pure: time goes in. One
/// thread.
class DepartureLog {
 public:
  /// Packet `counter`, the next, leaves.
  void on_packet(std::uint64_t counter, Timestamp now) {
    next_ = counter + 1;
    if (count_ > 0 && now < latest().time + spacing_) return;
    if (entries_.size() < kEntries && now - place_of(count_).time < kept_time()) grow();
    place_of(count_++) = {counter, now};
  }

  /// The peer tells what has arrived. A Drop when it cannot be true; then nothing has changed. Old
  /// news, overtaken by newer, is kReplayed.
  std::expected<PathSample, Drop> on_feedback(const wire::Feedback& feedback, Timestamp now);

  /// The highest counter that is known to have arrived; after an on_feedback() that succeeded.
  std::uint64_t highest() const { return last_.highest; }
  std::uint64_t delivered_bytes() const { return last_.bytes; }
  /// Smoothed as in RFC 6298; zero before the first feedback.
  Duration rtt() const { return rtt_; }
  /// Gives back the memory of busier times. Now and then.
  void shrink(Timestamp now);
  std::size_t memory_bytes() const { return entries_.size() * sizeof(Entry); }

  /// The path is another one: its delays have nothing to do with those before.
  void forget_path();

 private:
  struct Entry {
    std::uint64_t first = 0;  // counter
    Timestamp time;
  };
  // At least two round trips' worth, at the spacing that the round trip gives.
  static constexpr std::size_t kEntries = 512;
  static constexpr std::size_t kLeastEntries = 32;
  static constexpr Duration kBusyTime = 5s;
  static constexpr Duration kMinSpacing = 50us;
  static constexpr Duration kMaxSpacing = 20ms;
  // Packets that come late make up for ones that counted as lost before.
  static constexpr std::uint32_t kReordered = 8192;
  // For how long the shortest delay counts, at least; twice that at most, in which two clocks may
  // part by some milliseconds (50 ppm).
  static constexpr Duration kBaseWindow = 30s;

  // Where entry `index` of all time is, or will be.
  Entry& place_of(std::uint64_t index) { return entries_[index % entries_.size()]; }
  const Entry& place_of(std::uint64_t index) const { return entries_[index % entries_.size()]; }
  const Entry& latest() const { return place_of(count_ - 1); }
  // Feedback may be about what left so long ago.
  Duration kept_time() const { return rtt_ == Duration::zero() ? kBusyTime : 2 * rtt_; }
  void grow() { resize(2 * entries_.size()); }
  void resize(std::size_t entries);
  const Entry* find(std::uint64_t counter) const;
  Duration queue_delay(std::uint32_t arrived_us, Timestamp sent, Timestamp now);

  // A power of two of them, a ring.
  std::vector<Entry> entries_ = std::vector<Entry>(kLeastEntries);
  std::uint64_t count_ = 0;
  std::uint64_t next_ = 0;
  Duration spacing_ = kMinSpacing;
  Duration rtt_{};

  wire::Feedback last_;
  bool has_last_ = false;
  Timestamp last_sent_;  // when last_.highest left; zero: longer ago than is known
  // One-way delays, up to a constant that the clocks' zeros make: the shortest of this window and
  // of the last.
  std::int64_t base_us_[2] = {};
  bool has_base_[2] = {};
  Timestamp base_began_;
  std::uint32_t offset_us_ = 0;  // makes the first delay seen about zero
  bool has_offset_ = false;
};

}  // namespace qdt::plane
