#include "tunnel/send_queue.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "wire/ecn.h"

namespace qdt::tunnel {
namespace {

// Looking for the largest flow takes a while, so more than one packet pays for it.
constexpr int kMaxGivenUp = 16;

// Of a flow's full packets, those that are kept behind a known rate. With n packets under way TCP
// loses about one in 3/8 n^2 (RFC 5348 section 3.1): 32 of them make 0.3 %.
constexpr std::size_t kKeptPackets = 32;
constexpr double kKeptSeconds = 0.1;

}  // namespace

SendQueue::SendQueue(PacketPool& pool, const Options& options, Counters& counters)
    : pool_(pool), options_(options), counters_(counters), kept_bytes_(options.quantum_bytes) {}

SendQueue::~SendQueue() {
  if (front_ != nullptr) pool_.give_back(front_);
  for (std::size_t i = 0; flows_ && i < kSets * kPlaces; ++i) {
    while (flows_[i].first != nullptr) pool_.give_back(unlink_first(flows_[i]));
  }
  set_count(0);
}

void SendQueue::FlowList::push(Flow& flow) {
  flow.next = nullptr;
  (first == nullptr ? first : last->next) = &flow;
  last = &flow;
}

SendQueue::Flow& SendQueue::FlowList::pop() {
  Flow& flow = *first;
  first = flow.next;
  return flow;
}

bool SendQueue::push(Bytes bytes, std::uint64_t flow_hash, Timestamp now) {
  if (bytes.size() > pool_.max_packet_bytes() || options_.max_packets == 0) return false;
  if (count_ >= options_.max_packets && !drop_from_largest()) return false;
  QueuedPacket* packet = pool_.take();
  if (packet == nullptr && drop_from_largest()) packet = pool_.take();  // all queues are short
  if (packet == nullptr) return false;

  packet->queued_at = now;
  packet->size = bytes.size();
  append(packet->bytes(), bytes);

  // The upper bits of a product depend on all bits of both.
  const std::uint64_t hash = (flow_hash ^ options_.seed) * 0x9e3779b97f4a7c15;
  Flow& flow = place_of(hash);
  packet->is_overflow = flow.hash != hash;
  flow.overflow_packets += packet->is_overflow;
  (flow.first == nullptr ? flow.first : flow.last->next) = packet;
  flow.last = packet;
  flow.bytes += packet->size;
  set_count(count_ + 1);
  if (!std::exchange(flow.is_listed, true)) {
    flow.credit = static_cast<std::int64_t>(options_.quantum_bytes);
    new_flows_.push(flow);
  }
  return true;
}

SendQueue::Flow& SendQueue::place_of(std::uint64_t hash) {
  if (!flows_) flows_ = std::make_unique<Flow[]>(kSets * kPlaces);
  was_used_ = true;
  const std::span set(&flows_[(hash >> 32) % kSets * kPlaces], kPlaces);
  Flow* free = nullptr;
  for (Flow& flow : set) {
    if (flow.hash == hash) return flow;
    if (!flow.is_listed) free = &flow;
  }
  // Packets of this flow may still be among a place's overflow packets.
  Flow& shared = set[(hash >> 48) % kPlaces];
  if (free == nullptr || shared.overflow_packets > 0) return shared;
  *free = {.hash = hash};
  return *free;
}

Bytes SendQueue::front(Timestamp now) {
  if (front_ == nullptr) front_ = take_next(now);
  return front_ == nullptr ? Bytes{} : front_->bytes();
}

void SendQueue::pop() {
  assert(front_ != nullptr);
  pool_.give_back(std::exchange(front_, nullptr));
  set_count(count_ - 1);
  if (count_ == 0) standing_delay_ = Duration::zero();
}

// RFC 8290 section 4.2.
QueuedPacket* SendQueue::take_next(Timestamp now) {
  for (;;) {
    const bool is_new = new_flows_.first != nullptr;
    FlowList& list = is_new ? new_flows_ : old_flows_;
    if (list.first == nullptr) return nullptr;
    Flow& flow = *list.first;
    if (flow.credit <= 0) {
      flow.credit += static_cast<std::int64_t>(options_.quantum_bytes);
      old_flows_.push(list.pop());
      continue;
    }
    if (QueuedPacket* packet = take_from(flow, now)) {
      flow.credit -= static_cast<std::int64_t>(packet->size);
      return packet;
    }
    list.pop();
    // Else a flow that comes and goes would always be a new one.
    if (is_new && old_flows_.first != nullptr) {
      old_flows_.push(flow);
    } else {
      flow.is_listed = false;
    }
  }
}

// The oldest packet of the flow that may stay; null when none is left.
QueuedPacket* SendQueue::take_from(Flow& flow, Timestamp now) {
  while (flow.first != nullptr) {
    const Duration sojourn = now - flow.first->queued_at;
    const bool is_last_one = flow.bytes <= kept_bytes_;
    QueuedPacket* packet = unlink_first(flow);
    if (is_dropping_paused_) {
      flow.codel.reset();
    } else if (flow.codel.should_drop(sojourn, is_last_one, now)) {
      if (!wire::mark_congestion(packet->bytes())) {
        discard(packet, Drop::kQueueDelay);
        continue;
      }
      counters_.congestion_marks.add();
    }
    standing_delay_ = std::min(standing_delay_, sojourn);
    return packet;
  }
  return nullptr;
}

QueuedPacket* SendQueue::unlink_first(Flow& flow) {
  QueuedPacket* packet = flow.first;
  flow.first = packet->next;
  flow.bytes -= packet->size;
  flow.overflow_packets -= packet->is_overflow;
  return packet;
}

SendQueue::Flow* SendQueue::largest_flow() {
  Flow* largest = nullptr;
  for (const FlowList& list : {new_flows_, old_flows_}) {
    for (Flow* flow = list.first; flow != nullptr; flow = flow->next) {
      if (largest == nullptr || flow->bytes > largest->bytes) largest = flow;
    }
  }
  return largest == nullptr || largest->first == nullptr ? nullptr : largest;
}

// From the head, so that its sender hears of it soonest (RFC 8290 section 4.1.3).
bool SendQueue::drop_from_largest() {
  Flow* const largest = largest_flow();
  if (largest == nullptr) return false;
  discard(unlink_first(*largest), Drop::kQueueFull);
  return true;
}

void SendQueue::give_way() {
  Flow* const largest = largest_flow();
  if (largest == nullptr) return;
  const std::size_t enough = largest->bytes / 2;
  for (int i = 0; i < kMaxGivenUp && largest->first != nullptr && largest->bytes > enough; ++i) {
    discard(unlink_first(*largest), Drop::kQueuesFull);
  }
}

void SendQueue::use_rate(double bytes_per_second) {
  const auto worth = static_cast<std::size_t>(bytes_per_second * kKeptSeconds);
  kept_bytes_ = std::clamp(worth, options_.quantum_bytes, kKeptPackets * options_.quantum_bytes);
}

void SendQueue::drop_older_than(Timestamp time) {
  for (const FlowList& list : {new_flows_, old_flows_}) {
    for (Flow* flow = list.first; flow != nullptr; flow = flow->next) {
      while (flow->first != nullptr && flow->first->queued_at < time) {
        discard(unlink_first(*flow), Drop::kQueueStale);
      }
    }
  }
}

void SendQueue::discard(QueuedPacket* packet, Drop reason) {
  pool_.give_back(packet);
  set_count(count_ - 1);
  counters_.drops.count(reason);
  ++dropped_;
}

Duration SendQueue::take_standing_delay() {
  const Duration delay = std::exchange(standing_delay_, Duration::max());
  return delay == Duration::max() ? Duration::zero() : delay;
}

void SendQueue::shrink() {
  if (std::exchange(was_used_, false) || !empty()) return;
  new_flows_ = old_flows_ = {};
  flows_.reset();
}

}  // namespace qdt::tunnel
