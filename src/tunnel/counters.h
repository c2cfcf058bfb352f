#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/drop.h"
#include "tunnel/send_limits.h"
#include "tunnel/session_end.h"
#include "wire/handshake.h"

namespace qdt::tunnel {

/// The totals and the state of one shard. Written by the shard's thread alone, read by
/// any; aligned so that no two shards share a cache line. Names and help texts are in
/// ops/metrics.cc.
struct alignas(128) Counters {
  // Inner packets: "up" from clients, "down" to them.
  Counter packets_up;
  Counter bytes_up;
  Counter packets_down;
  Counter bytes_down;
  DropCounters drops;
  Counter congestion_marks;       ///< by a send queue, in packets that understand ECN
  Counter tun_congestion_marks;   ///< in such packets, for the TUN device's queue
  Counter path_congestion_marks;  ///< in such packets, as their payloads were marked on the way

  // The TUN device: packets, and the pieces in which they crossed the kernel's border.
  Counter tun_packets_read;
  Counter tun_packets_written;
  Counter tun_reads;
  Counter tun_writes;

  // Outer payloads.
  Counter payloads_received;
  Counter payloads_sent;
  Counter payload_bytes_received;
  Counter payload_bytes_sent;
  Counter bursts_received;   ///< receive system calls' buffers
  Counter bursts_sent;       ///< send system calls
  Counter udp_gso_disabled;  ///< refused by the kernel, and off since then
  Counter udp_gro_disabled;
  Counter delivered_bytes;  ///< of payloads that were acknowledged or given up as lost
  /// How long sessions were kept from sending more, by SendLimit, all of them added up.
  std::array<Counter, kSendLimits> limited_nanoseconds;

  std::array<Counter, kSessionEnds> session_ends;  ///< by index_of(SessionEnd)

  // Handed to the shard they belong to.
  Counter stray_payloads;
  Counter stray_packets;

  Counter turn_max_microseconds;  ///< of the shard's turns of the last ten to twenty seconds

  // Gauges, sampled once a second.
  Counter sessions;
  Counter direct_sessions;              ///< that send by the direct plane
  Counter shaped_sessions;              ///< of these, held back for the sake of a short queue
  Counter shaped_bytes_per_second;      ///< what these may send, all of them together
  Counter asked_bits_per_second;        ///< what the server asks a client to keep to; 0: nothing
  Counter path_queue_max_microseconds;  ///< of the direct session whose path has the longest
  Counter connections;
  Counter ended_connections;  ///< whose late packets are still recognised
  Counter strangers;          ///< of these, without a session
  Counter stranger_bytes;     ///< that QUIC and HTTP/3 hold for them
  // Strangers that were given up, by reason (quic::Endpoint::StrangerCounts).
  Counter strangers_gave_way;
  Counter strangers_out_of_time;
  Counter strangers_too_large;
  Counter queued_packets;                ///< in the sessions' send queues
  Counter queued_payloads;               ///< waiting for a blocked socket
  Counter queue_delay_max_microseconds;  ///< of the session whose queue stood longest
  Counter delivered_bytes_per_second;
  Counter window_p50_bytes;  ///< congestion windows
  Counter window_max_bytes;
  Counter rtt_p50_microseconds;
  Counter rtt_max_microseconds;
  Counter heard_nanoseconds;  ///< when a peer was heard of last, as the shard's clock counts
  Counter tunnel_mtu_min;     ///< of the session that has the smallest; 0 without sessions
};

/// How handshakes ended. Any thread counts and reads: there are few of them, and admission is the
/// affair of all shards.
class HandshakeCounters {
 public:
  void count(wire::HandshakeResult result) {
    counts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t value(wire::HandshakeResult result) const {
    return counts_[static_cast<std::size_t>(result)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(wire::HandshakeResult::kCount)>
      counts_{};
};

/// Requests of visitors that the web server behind the decoy did not answer. Any thread.
struct DecoyCounters {
  std::atomic<std::uint64_t> bad_answers = 0;  ///< nothing, no HTTP, or too much: 502
  std::atomic<std::uint64_t> too_many = 0;     ///< at a time, or too much that waits: 503
  std::atomic<std::uint64_t> too_late = 0;     ///< 504
};

}  // namespace qdt::tunnel
