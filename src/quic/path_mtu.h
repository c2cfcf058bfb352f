#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"

namespace qdt::quic {

/// The search beyond the engine's own path MTU discovery. That one searches upwards once for each
/// path and never doubts what it has found; this one watches which sizes of payload live and which
/// die. Where large ones die and small ones live, an MTU black hole (RFC 8899 section 4.3), it
/// steps down at once to what every path of QUIC's carries, has probes of all larger sizes sent,
/// takes the largest that comes through, and looks again later for more. It also knows when the
/// engine's search is over. Sizes are of UDP payloads. Pure: events and time go in. One thread.
class PathMtu {
 public:
  /// Every path carries it (RFC 9000 section 14).
  static constexpr std::size_t kBaseBytes = 1200;
  static constexpr std::size_t kUnlimited = SIZE_MAX;

  /// The sizes worth trying, smallest first: what Ethernet, PPPoE, tunnels and mobile networks
  /// leave. At most 16.
  static std::span<const std::uint16_t> sizes(bool is_v4);

  /// The connection is on a new path: nothing is known of it. Its engine may need so long until it
  /// begins to search.
  void start(bool is_v4, Timestamp now, Duration patience = {});

  // --- what becomes of packets ---

  /// The number under which the engine is to keep a datagram in a packet of `bytes` so far.
  static std::uint64_t note(std::size_t bytes, Timestamp sent) {
    return microseconds(sent) << kTimeShift | bytes;
  }
  static std::uint64_t probe_note(std::size_t bytes, Timestamp sent) {
    return note(bytes, sent) | kProbeMark;
  }
  void on_acked(std::uint64_t note) {
    const std::size_t bytes = note & kBytesMask;
    if (bytes > kBaseBytes) on_large_acked(bytes, note);
  }
  void on_lost(std::uint64_t note) {
    const std::size_t bytes = note & kBytesMask;
    if (bytes > kBaseBytes) on_large_lost(bytes, note);
  }
  /// Large packets were lost, and none has come through since.
  bool is_suspicious() const { return is_suspicious_; }
  /// After on_lost(): the peer has acknowledged something that was sent later, of whatever size.
  /// `ceiling` as in advance().
  void on_heard(std::size_t ceiling, Timestamp now, Duration rtt);

  /// Someone else saw large packets die and small ones live. `ceiling` as in advance().
  void look_again(std::size_t ceiling, Timestamp now);

  /// The engine sent a probe of its own; it waits for `pto` before the next.
  void on_search_probe(Timestamp now, Duration pto);

  // --- what is known ---

  /// No payload but a probe may be larger.
  std::size_t limit() const { return limit_; }
  /// Neither the engine nor this object is about to find out more: what is known may be told.
  bool is_settled() const { return !is_searching_ && state_ != State::kSuspecting; }

  // --- probes ---

  /// The payload size of the next probe to be sent, or 0.
  std::size_t next_probe() const;
  void on_probe_sent(std::size_t bytes, Timestamp now, Duration pto);

  /// Draws conclusions; after everything above, and at next_timeout(). `ceiling`: the largest
  /// payload that the engine would send on this path.
  void advance(std::size_t ceiling, Timestamp now) {
    if (state_ == State::kTrusting && !is_searching_) return;
    draw_conclusions(ceiling, now);
  }
  Timestamp next_timeout() const;

 private:
  enum class State {
    kTrusting,    ///< the engine is right
    kSuspecting,  ///< a hole: probes are on their way
    kLowered,     ///< a hole, and how large
  };
  static constexpr std::uint64_t kProbeMark = 0x8000;
  static constexpr std::uint64_t kBytesMask = 0x7fff;
  static constexpr int kTimeShift = 16;
  static constexpr std::size_t kClassBytes = 32;
  static constexpr std::size_t kClasses = 10;

  /// Packets of a size or more that were lost, with none acknowledged that was sent since.
  struct Run {
    int count = 0;
    std::uint64_t first_sent = 0;
    std::uint64_t last_sent = 0;
  };

  static std::uint64_t microseconds(Timestamp time) {
    return static_cast<std::uint64_t>(time.time_since_epoch() / 1us);
  }
  static std::size_t class_of(std::size_t bytes);
  void on_large_acked(std::size_t bytes, std::uint64_t note);
  void on_large_lost(std::size_t bytes, std::uint64_t note);
  void step_down(Timestamp now);
  void draw_conclusions(std::size_t ceiling, Timestamp now);
  void probe(std::uint32_t which);
  std::uint32_t sizes_above(std::size_t bytes) const;
  std::uint32_t bit_of(std::size_t bytes) const;
  void trust();

  State state_ = State::kTrusting;
  bool is_searching_ = true;
  bool is_suspicious_ = false;
  std::size_t limit_ = kUnlimited;
  std::size_t ceiling_ = kBaseBytes;
  std::span<const std::uint16_t> sizes_;
  Timestamp search_ends_ = kNever;

  // By class of size. What was sent before `since_` says nothing any more.
  std::array<Run, kClasses> runs_{};
  std::array<std::uint64_t, kClasses> acked_{};  // when the latest was sent
  std::uint64_t since_ = 0;

  // The round of probes under way: bits are places in sizes_.
  bool is_probing_ = false;
  bool is_retry_ = false;
  bool has_risen_ = false;
  std::uint32_t due_ = 0;
  std::uint32_t outstanding_ = 0;
  Timestamp round_ends_ = kNever;
  Timestamp next_raise_ = kNever;
  Duration raise_interval_ = 1min;
};

}  // namespace qdt::quic
