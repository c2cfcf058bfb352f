#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qdt {

/// Why a packet, datagram or payload was discarded. Every way out of the data path that is not
/// delivery counts one of these, and nothing else happens: no log line, no allocation.
enum class Drop : std::uint8_t {
  // The outer payload, before it belongs to a connection.
  kNotQuic,            ///< no QUIC packet, or of a version that gets no answer
  kUnknownConnection,  ///< a connection ID that is not, or no longer, ours
  kUnproven,           ///< a first packet whose sender has to show its address first (Retry)
  kCrowded,  ///< a first packet, while those that would give way to it are too young for that
  // The datagram.
  kNoSession,       ///< a datagram on a stream that is no session, a packet to an address not lent
  kShort,           ///< shorter than header and tag
  kBadMagic,        ///< does not begin with "QDT"
  kBadVersion,      ///< version other than 1
  kUnknownType,     ///< a type or context that the session does not have
  kWrongSession,    ///< another session's ID
  kReplayed,        ///< a counter seen before, or too old to tell
  kForged,          ///< the tag does not fit
  kBadFragment,     ///< fragment fields that contradict each other
  kBadFeedback,     ///< tells of packets that were not sent, or of times that cannot be
  kReassemblyFull,  ///< half-built packets would pass their bound
  kReassemblyTimeout,  ///< half-built for longer than 5 s
  // The inner packet.
  kMalformed,  ///< no IPv4 or IPv6 packet, or lengths that lie
  kLinkLocal,  ///< IPv6 that is for the neighbours of one link, or for a group: nobody routes it
  kSpoofedSource,  ///< a source address that is not the session's lease
  kTooBig,         ///< above the tunnel MTU and not to be fragmented
  kRateLimited,    ///< above the rate limit of the session or its user
  kQueueFull,      ///< the session's send queue, or its connection's, is full
  kQueuesFull,     ///< all queues together are full, and the session's is one of the longest
  kQueueDelay,     ///< waited too long in a queue that stands (CoDel)
  kQueueStale,     ///< waited for more than a second, for a client that takes nothing
  kPathMark,       ///< bore a mark of congestion on the path that its sender does not understand
  // The host.
  kTunQueueDelay,  ///< paid for a queue that stands in the TUN device: the host cannot keep up
  kTunRefused,     ///< the kernel did not take the packet from us
  kSocketRefused,  ///< the kernel did not take the payload from us
  kCount
};

inline constexpr std::size_t kDropCount = static_cast<std::size_t>(Drop::kCount);

/// The `reason` label of qdt_drops_total, and the word used in documentation.
std::string_view drop_label(Drop drop);

/// A count with one writer (the shard's thread) and any number of readers.
class Counter {
 public:
  void add(std::uint64_t n = 1) {
    // One writer: a plain load and store is enough, and costs no locked instruction.
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// One counter for each Drop.
class DropCounters {
 public:
  void count(Drop drop, std::uint64_t n = 1) { counters_[static_cast<std::size_t>(drop)].add(n); }
  std::uint64_t value(Drop drop) const { return counters_[static_cast<std::size_t>(drop)].value(); }
  std::uint64_t total() const;

 private:
  std::array<Counter, kDropCount> counters_;
};

}  // namespace qdt
