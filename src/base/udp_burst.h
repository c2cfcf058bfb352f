#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace qdt {

/// Both ends of a UDP flow. The local address is the one the packet arrived at, or is to leave
/// from; QUIC's migration depends on its being true.
struct UdpPath {
  SocketAddress local;
  SocketAddress remote;
  bool operator==(const UdpPath&) const = default;
};

/// The bytes that the IP and UDP headers of a payload to or from `peer` have.
inline std::size_t udp_header_bytes(const IpAddress& peer) {
  constexpr std::size_t kOverIpv4 = 28;
  constexpr std::size_t kOverIpv6 = 48;
  return peer.is_v4() ? kOverIpv4 : kOverIpv6;
}

/// The two ECN bits of the outer IP header (RFC 3168 section 5).
enum class Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

/// Payloads of one flow, back to back, all of `segment_bytes` but for the last, which may be
/// shorter: what the kernel sends (UDP_SEGMENT) or received (UDP_GRO) in one piece.
struct UdpBurst {
  UdpPath path;
  Ecn ecn = Ecn::kNotEct;
  std::size_t segment_bytes = 0;
  MutableBytes bytes;
  bool is_complete = false;  ///< no further payload may join

  std::size_t payload_count() const {
    return segment_bytes == 0 ? 0 : (bytes.size() + segment_bytes - 1) / segment_bytes;
  }
  bool ends_short() const { return bytes.size() % segment_bytes != 0; }
};

/// Calls `handle(payload)` for each payload of a burst, in order.
template <typename Handler>
void for_each_payload(const UdpBurst& burst, Handler&& handle) {
  for (MutableBytes rest = burst.bytes; !rest.empty();) {
    const std::size_t bytes = std::min(burst.segment_bytes, rest.size());
    handle(rest.first(bytes));
    rest = rest.subspan(bytes);
  }
}

/// Payloads on their way to the socket: written in place by the connections, joined into bursts as
/// they come, taken by the socket. Allocated once; bounded; one thread.
class UdpSendQueue {
 public:
  /// No payload of ours is larger: Ethernet's 1500 bytes less the IPv4 and UDP headers.
  static constexpr std::size_t kMaxPayloadBytes = 1472;
  /// The kernel takes at most 64 segments (UDP_MAX_SEGMENTS before Linux 6.9) and 65,507 bytes.
  static constexpr std::size_t kMaxBurstPayloads = 64;
  static constexpr std::size_t kMaxBurstBytes = 65507;

  explicit UdpSendQueue(std::size_t max_payloads)
      : capacity_(max_payloads * kMaxPayloadBytes),
        arena_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_)) {
    bursts_.reserve(max_payloads);
  }

  bool has_room() const {
    return used_ + kMaxPayloadBytes <= capacity_ && bursts_.size() < bursts_.capacity();
  }
  bool empty() const { return first_ == bursts_.size(); }

  /// Whether inner packets may join: not while the socket takes nothing, for in here they would
  /// stand in one line, whoever they are for. Connections' own affairs need only has_room().
  bool takes_packets() const { return !is_stalled_ && has_room(); }
  void set_stalled(bool is_stalled) { is_stalled_ = is_stalled; }
  /// At most, of what waits.
  std::size_t waiting_bytes() const { return empty() ? 0 : used_; }

  /// Where the next payload is to be written. has_room() was asked.
  MutableBytes next_payload() {
    assert(has_room());
    return {arena_.get() + used_, kMaxPayloadBytes};
  }

  enum class Joining { kAllowed, kAlone };

  /// Takes the first `bytes` of next_payload() as a payload on `path`.
  void push(const UdpPath& path, Ecn ecn, std::size_t bytes, Joining joining = Joining::kAllowed) {
    assert(has_room() && bytes > 0 && bytes <= kMaxPayloadBytes);
    const MutableBytes payload(arena_.get() + used_, bytes);
    used_ += bytes;
    const bool may_join = joining == Joining::kAllowed;
    if (may_join && !empty() && extends(bursts_.back(), path, ecn, bytes)) {
      UdpBurst& last = bursts_.back();
      last.bytes = {last.bytes.data(), last.bytes.size() + bytes};
      return;
    }
    bursts_.push_back({path, ecn, bytes, payload, !may_join});
  }

  /// The waiting bursts, oldest first; valid until push(), pop() or clear().
  std::span<UdpBurst> bursts() { return std::span(bursts_).subspan(first_); }

  /// Forgets the oldest `count` bursts: they were sent or given up.
  void pop(std::size_t count) {
    assert(first_ + count <= bursts_.size());
    first_ += count;
    if (empty()) clear();
  }

  void clear() {
    bursts_.clear();
    first_ = 0;
    used_ = 0;
  }

  std::size_t payload_count() const {
    std::size_t count = 0;
    for (std::size_t i = first_; i < bursts_.size(); ++i) count += bursts_[i].payload_count();
    return count;
  }

 private:
  static bool extends(const UdpBurst& last, const UdpPath& path, Ecn ecn, std::size_t bytes) {
    return !last.is_complete && bytes <= last.segment_bytes && !last.ends_short() &&
           last.ecn == ecn && last.payload_count() < kMaxBurstPayloads &&
           last.bytes.size() + bytes <= kMaxBurstBytes && last.path == path;
  }

  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> arena_;
  std::size_t used_ = 0;
  std::vector<UdpBurst> bursts_;
  std::size_t first_ = 0;
  bool is_stalled_ = false;
};

}  // namespace qdt
