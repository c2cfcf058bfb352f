#include "base/drop.h"

namespace qdt {

std::string_view drop_label(Drop drop) {
  switch (drop) {
    case Drop::kNotQuic: return "not_quic";
    case Drop::kUnknownConnection: return "unknown_connection";
    case Drop::kUnproven: return "unproven";
    case Drop::kCrowded: return "crowded";
    case Drop::kNoSession: return "no_session";
    case Drop::kShort: return "short";
    case Drop::kBadMagic: return "bad_magic";
    case Drop::kBadVersion: return "bad_version";
    case Drop::kUnknownType: return "unknown_type";
    case Drop::kWrongSession: return "wrong_session";
    case Drop::kReplayed: return "replayed";
    case Drop::kForged: return "forged";
    case Drop::kBadFragment: return "bad_fragment";
    case Drop::kBadFeedback: return "bad_feedback";
    case Drop::kReassemblyFull: return "reassembly_full";
    case Drop::kReassemblyTimeout: return "reassembly_timeout";
    case Drop::kMalformed: return "malformed";
    case Drop::kLinkLocal: return "link_local";
    case Drop::kSpoofedSource: return "spoofed_source";
    case Drop::kTooBig: return "too_big";
    case Drop::kRateLimited: return "rate_limited";
    case Drop::kQueueFull: return "queue_full";
    case Drop::kQueuesFull: return "queues_full";
    case Drop::kQueueStale: return "queue_stale";
    case Drop::kQueueDelay: return "queue_delay";
    case Drop::kPathMark: return "path_mark";
    case Drop::kTunQueueDelay: return "tun_queue_delay";
    case Drop::kTunRefused: return "tun_refused";
    case Drop::kSocketRefused: return "socket_refused";
    case Drop::kCount: break;
  }
  return "unknown";
}

std::uint64_t DropCounters::total() const {
  std::uint64_t sum = 0;
  for (const Counter& counter : counters_) sum += counter.value();
  return sum;
}

}  // namespace qdt
