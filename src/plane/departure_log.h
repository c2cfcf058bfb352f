#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

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
/// one entry for those that left together. Pure: time goes in. One thread.
class DepartureLog {
 public:
  /// Packet `counter`, the next, leaves.
  void on_packet(std::uint64_t counter, Timestamp now) {
    next_ = counter + 1;
    if (count_ > 0 && now < latest().time + spacing_) return;
    entries_[count_++ % kEntries] = {counter, now};
  }

  /// The peer tells what has arrived. A Drop when it cannot be true; then nothing has changed. Old
  /// news, overtaken by newer, is kReplayed.
  std::expected<PathSample, Drop> on_feedback(const wire::Feedback& feedback, Timestamp now);

  /// The highest counter that is known to have arrived; after an on_feedback() that succeeded.
  std::uint64_t highest() const { return last_.highest; }
  std::uint64_t delivered_bytes() const { return last_.bytes; }
  /// Smoothed as in RFC 6298; zero before the first feedback.
  Duration rtt() const { return rtt_; }
  /// The path is another one: its delays have nothing to do with those before.
  void forget_path();

 private:
  struct Entry {
    std::uint64_t first = 0;  // counter
    Timestamp time;
  };
  // At least two round trips' worth, at the spacing that the round trip gives.
  static constexpr std::size_t kEntries = 512;
  static constexpr Duration kMinSpacing = 50us;
  static constexpr Duration kMaxSpacing = 20ms;
  // Packets that come late make up for ones that counted as lost before.
  static constexpr std::uint32_t kReordered = 8192;
  // For how long the shortest delay counts, at least; twice that at most, in which two clocks may
  // part by some milliseconds (50 ppm).
  static constexpr Duration kBaseWindow = 30s;

  const Entry& latest() const { return entries_[(count_ - 1) % kEntries]; }
  const Entry* find(std::uint64_t counter) const;
  Duration queue_delay(std::uint32_t arrived_us, Timestamp sent, Timestamp now);

  std::array<Entry, kEntries> entries_;
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
